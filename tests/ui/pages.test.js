// Trends, and what goes through all pages: looks, trouble, weight. See work.test.js.

import './walks/trends.js';
import './walks/trouble.js';
import './walks/looks.js';
import './walks/looks_work.js';
import './walks/weight.js';

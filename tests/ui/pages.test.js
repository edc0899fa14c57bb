// Trends, what goes through all pages, as looks, trouble and weight, and what teachers do. See work.test.js.

import './walks/trends.js';
import './walks/trouble.js';
import './walks/looks.js';
import './walks/looks_work.js';
import './walks/weight.js';
import './walks/languages.js';
import './walks/hostile.js';
import './walks/teacher.js';
import './walks/history.js';
import './walks/ending.js';
import './walks/overtaken.js';

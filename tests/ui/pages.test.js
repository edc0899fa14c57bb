// What goes through all pages: looks, languages, names, trouble, weight. See list.test.js.

import './walks/trends.js';
import './walks/languages.js';
import './walks/hostile.js';
import './walks/trouble.js';
import './walks/looks.js';
import './walks/looks_work.js';
import './walks/weight.js';

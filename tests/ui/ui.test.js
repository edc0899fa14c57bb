// All walks share one instance and one browser, so they are one file to the runner.

import './walks/catalog.js';
import './walks/door.js';
import './walks/sessions.js';
import './walks/refresh.js';
import './walks/panel.js';
import './walks/clock.js';
import './walks/attention.js';
import './walks/inbox.js';
import './walks/people.js';
import './walks/academy.js';
import './walks/teacher.js';
import './walks/trends.js';
import './walks/languages.js';
import './walks/hostile.js';
import './walks/trouble.js';
import './walks/looks.js';
import './walks/looks_work.js';
import './walks/weight.js';

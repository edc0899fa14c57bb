// What admins do, page by page. The walks of a file share one instance and one browser; the files run side by side.

import './walks/catalog.js';
import './walks/door.js';
import './walks/phone.js';
import './walks/sessions.js';
import './walks/refresh.js';
import './walks/panel.js';
import './walks/panel_use.js';
import './walks/sentence.js';
import './walks/clock.js';
import './walks/attention.js';
import './walks/inbox.js';
import './walks/people.js';
import './walks/academy.js';

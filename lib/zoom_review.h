#ifndef ZOOM_REVIEW_H
#define ZOOM_REVIEW_H

#include <stdint.h>

#include "db.h"

/*
 * Asks the rule again where sessions were sent, clicked or changed since, each
 * meeting in a transaction of its own. *changed counts occurrences that went to
 * another session. For the job: a click itself does not wait for this.
 */
MUST_CHECK enum err zoom_review(struct db *db, int64_t *changed);

#endif

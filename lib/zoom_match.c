#include "zoom_match.h"

#define US_PER_S   INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_S)

/* Whose is the occurrence at, among the sessions of one rank? */
struct question {
	const struct match_session *sessions;
	size_t n_sessions;
	const struct match_occurrence *occurrences;
	size_t n, at;
	const struct match *before; /* the answers for the occurrences before at */
	int rank;
	bool is_lenient; /* as if corrected links and reopenings had been there from the start */
};

/* The start of the second: Zoom's moments have no smaller part. */
static int64_t second(int64_t us)
{
	return us - us % US_PER_S;
}

/* When occurrence i ended, or stopped being worth waiting for. */
static int64_t end_of(const struct question *q, size_t i)
{
	const struct match_occurrence *o = &q->occurrences[i];

	if (o->has_end)
		return o->end_us;
	return i + 1 < q->n ? q->occurrences[i + 1].begin_us : o->begin_us + US_PER_DAY;
}

static int64_t begin(const struct question *q)
{
	return q->occurrences[q->at].begin_us;
}

static int64_t here_since(const struct question *q, const struct match_session *s, int64_t us)
{
	return !q->is_lenient && s->came_us > us ? s->came_us : us;
}

static int64_t sent(const struct question *q, const struct match_session *s)
{
	return here_since(q, s, s->sent_us);
}

static bool has_start(const struct question *q, const struct match_session *s)
{
	return s->has_click || (q->is_lenient && s->is_reopened);
}

/* With has_start(). */
static int64_t start(const struct match_session *s)
{
	return s->has_click ? s->clicked_us : s->start_us;
}

/* With has_start(). */
static int64_t deadline(const struct question *q, const struct match_session *s)
{
	bool is_later = q->is_lenient && s->is_reopened && s->until_us > s->deadline_us;

	return is_later ? s->until_us : s->deadline_us;
}

/* With is_opened_here(). A click before its link led here opened it as it came. */
static int64_t opened(const struct question *q, const struct match_session *s)
{
	return here_since(q, s, start(s));
}

/* A later click went to the other meeting. */
static bool is_opened_here(const struct question *q, const struct match_session *s)
{
	return has_start(q, s) && start(s) < s->left_us;
}

static bool is_opened_by(const struct question *q, const struct match_session *s, int64_t t)
{
	return is_opened_here(q, s) && second(opened(q, s)) <= t;
}

/* With is_reopened. */
static int64_t reopened(const struct question *q, const struct match_session *s)
{
	return here_since(q, s, s->reopened_us);
}

static bool has_left(const struct match_session *s, int64_t t)
{
	return s->left_us <= t;
}

/* --- Of the sessions of the rank that qualify, the best: -1 if there is none --- */

/* The moment by which a session is compared; false: it does not qualify. */
typedef bool moment_fn(const struct question *q, const struct match_session *s, int64_t *us);

/* The session with the latest moment, of equals the newest. */
static int latest(const struct question *q, moment_fn *moment)
{
	int64_t best = 0, us;
	int found = -1;

	for (size_t i = 0; i < q->n_sessions; i++) {
		const struct match_session *s = &q->sessions[i];

		if ((int)s->rank != q->rank || !moment(q, s, &us))
			continue;
		if (found < 0 || us > best || (us == best && s->id > q->sessions[found].id)) {
			found = (int)i;
			best = us;
		}
	}
	return found;
}

/* Its last claim on the meeting before the occurrence began. */
static bool claimed(const struct question *q, const struct match_session *s, int64_t *us)
{
	*us = sent(q, s);
	if (is_opened_by(q, s, begin(q)) && opened(q, s) > *us)
		*us = opened(q, s);
	return second(*us) <= begin(q) && !has_left(s, begin(q)) &&
	       (s->left_us == INT64_MAX || is_opened_here(q, s));
}

static bool is_meanwhile(const struct question *q, int64_t us)
{
	return second(us) >= begin(q) && us <= end_of(q, q->at);
}

/* Negated, so that the first click is the latest. */
static bool clicked_meanwhile(const struct question *q, const struct match_session *s, int64_t *us)
{
	if (!is_opened_here(q, s))
		return false;
	*us = -opened(q, s);
	return is_meanwhile(q, opened(q, s));
}

static bool reopened_meanwhile(const struct question *q, const struct match_session *s, int64_t *us)
{
	if (!s->is_reopened || has_left(s, s->reopened_us))
		return false;
	*us = -reopened(q, s);
	return is_meanwhile(q, reopened(q, s));
}

/* Of whose reopening the occurrence began in time. */
static bool reopened_before(const struct question *q, const struct match_session *s, int64_t *us)
{
	if (!s->is_reopened || has_left(s, begin(q)))
		return false;
	*us = reopened(q, s);
	return second(*us) <= begin(q) && begin(q) <= s->until_us;
}

static bool unopened(const struct question *q, const struct match_session *s, int64_t *us)
{
	*us = sent(q, s);
	return second(*us) <= begin(q) && begin(q) < s->link_end_us && !has_left(s, begin(q)) &&
	       !is_opened_by(q, s, begin(q));
}

/* --- The rules --- */

static bool is_in_window(const struct question *q, const struct match_session *s)
{
	return is_opened_by(q, s, begin(q)) && begin(q) <= deadline(q, s);
}

/* Whether an earlier occurrence was the session's and lasted into its window. */
static bool has_met(const struct question *q, int session)
{
	for (size_t i = 0; i < q->at; i++)
		if (q->before[i].session == session && end_of(q, i) >= start(&q->sessions[session]))
			return true;
	return false;
}

/* Whether a restart in one session's window was rather the class of the next. */
static bool is_for_next(const struct question *q, const struct match_session *next)
{
	int64_t end = end_of(q, q->at);

	if (!q->occurrences[q->at].has_end && q->at + 1 == q->n)
		return true;
	if (end > deadline(q, next))
		end = deadline(q, next);
	return end - opened(q, next) > opened(q, next) - begin(q);
}

static const struct match nobodys = { -1, MATCH_NOBODYS };

static struct match of(int session, enum match_why why)
{
	return session < 0 ? nobodys : (struct match){ session, why };
}

/* Of an occurrence in the window of a session: that one's, or the next's. */
static struct match in_window(const struct question *q, int holder, int next)
{
	if (next >= 0 && next != holder && has_met(q, holder) && is_for_next(q, &q->sessions[next]))
		return of(next, MATCH_CLICKED);
	return of(holder, MATCH_IN_WINDOW);
}

/* Rule 1. */
static struct match by_window(const struct question *q)
{
	int holder = latest(q, claimed);

	if (holder < 0 || !is_in_window(q, &q->sessions[holder]))
		return nobodys;
	return in_window(q, holder, latest(q, clicked_meanwhile));
}

/* Rules 1 and 2. */
static struct match by_click(const struct question *q)
{
	struct match found = by_window(q);

	return found.session < 0 ? of(latest(q, clicked_meanwhile), MATCH_CLICKED) : found;
}

static struct match by_reopening(const struct question *q)
{
	int holder = latest(q, reopened_before);

	return holder < 0 ? nobodys : in_window(q, holder, latest(q, clicked_meanwhile));
}

static struct match while_reopened(const struct question *q)
{
	return of(latest(q, reopened_meanwhile), MATCH_CLICKED);
}

/* Rule 3. */
static struct match by_waiting(const struct question *q)
{
	return of(latest(q, unopened), MATCH_WAITED);
}

typedef struct match rule_fn(const struct question *q);

/* What a rule says for the first rank for which it says anything. */
static struct match ask(struct question *q, rule_fn *rule)
{
	struct match found = nobodys;

	for (q->rank = 0; q->rank < MATCH_RANKS && found.session < 0; q->rank++)
		found = rule(q);
	return found;
}

static struct match best(struct question *q, bool is_lenient)
{
	struct match found, again = nobodys;

	q->is_lenient = is_lenient;
	found = ask(q, by_click);
	if (ask(q, by_window).session < 0) /* of any rank */
		again = ask(q, by_reopening);
	if (again.session >= 0)
		found = again;
	if (found.session < 0)
		found = ask(q, while_reopened);
	return found.session < 0 ? ask(q, by_waiting) : found;
}

void zoom_match(const struct match_session *sessions, size_t n_sessions,
		const struct match_occurrence *occurrences, size_t n, struct match *out)
{
	struct question q = { .sessions = sessions,
			      .n_sessions = n_sessions,
			      .occurrences = occurrences,
			      .n = n,
			      .before = out };

	for (q.at = 0; q.at < n; q.at++) {
		struct match corrected;

		out[q.at] = best(&q, false);
		if (out[q.at].why != MATCH_NOBODYS && out[q.at].why != MATCH_WAITED)
			continue;
		/* Nobody opened it: then a class has it that was led here or reopened too late. */
		corrected = best(&q, true);
		if (out[q.at].why == MATCH_NOBODYS ||
		    (corrected.why != MATCH_NOBODYS && corrected.why != MATCH_WAITED))
			out[q.at] = corrected;
	}
}

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
	bool is_lenient; /* as if a link that was corrected had led here from the start */
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

/* With is_clicked_here(). A click before its link led here opened it as it came. */
static int64_t opened(const struct question *q, const struct match_session *s)
{
	return here_since(q, s, s->clicked_us);
}

/* A later click went to the other meeting. */
static bool is_clicked_here(const struct match_session *s)
{
	return s->has_click && s->clicked_us < s->left_us;
}

static bool is_opened_by(const struct question *q, const struct match_session *s, int64_t t)
{
	return is_clicked_here(s) && second(opened(q, s)) <= t;
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
	       (s->left_us == INT64_MAX || is_clicked_here(s));
}

/* Negated, so that the first click is the latest. */
static bool clicked_meanwhile(const struct question *q, const struct match_session *s, int64_t *us)
{
	*us = s->has_click ? -opened(q, s) : 0;
	return is_clicked_here(s) && second(opened(q, s)) >= begin(q) &&
	       opened(q, s) <= end_of(q, q->at);
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
	return is_opened_by(q, s, begin(q)) && begin(q) <= s->deadline_us;
}

/* Whether an earlier occurrence was the session's and lasted into its window. */
static bool has_met(const struct question *q, int session)
{
	for (size_t i = 0; i < q->at; i++)
		if (q->before[i].session == session &&
		    end_of(q, i) >= q->sessions[session].clicked_us)
			return true;
	return false;
}

/* Whether a restart in one session's window was rather the class of the next. */
static bool is_for_next(const struct question *q, const struct match_session *next)
{
	int64_t end = end_of(q, q->at);

	if (!q->occurrences[q->at].has_end && q->at + 1 == q->n)
		return true;
	if (end > next->deadline_us)
		end = next->deadline_us;
	return end - opened(q, next) > opened(q, next) - begin(q);
}

static struct match answer(const struct question *q)
{
	int holder = latest(q, claimed), next = latest(q, clicked_meanwhile), waiting;

	if (holder >= 0 && is_in_window(q, &q->sessions[holder])) {
		if (next >= 0 && next != holder && has_met(q, holder) &&
		    is_for_next(q, &q->sessions[next]))
			return (struct match){ next, MATCH_CLICKED };
		return (struct match){ holder, MATCH_IN_WINDOW };
	}
	if (next >= 0)
		return (struct match){ next, MATCH_CLICKED };
	waiting = latest(q, unopened);
	return (struct match){ waiting, waiting < 0 ? MATCH_NOBODYS : MATCH_WAITED };
}

/* The first rank's that has one. */
static struct match best(struct question *q, bool is_lenient)
{
	struct match found = { -1, MATCH_NOBODYS };

	q->is_lenient = is_lenient;
	for (q->rank = 0; q->rank < MATCH_RANKS && found.session < 0; q->rank++)
		found = answer(q);
	return found;
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
		/* Nobody opened it: then a class has it whose link led here too late. */
		corrected = best(&q, true);
		if (out[q.at].why == MATCH_NOBODYS || corrected.why != MATCH_WAITED)
			out[q.at] = corrected;
	}
}

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app_parent.h"
#include "click_group.h"
#include "journal.h"
#include "journal_state.h"
#include "log.h"
#include "login.h"

#define CLOCK_EVERY_US INT64_C(60000000)
#define GRACE_MS       100 /* the thread that records keeps the deadline too, and tells more */
#define HELD_MS	       5   /* between looks whether sessions are still held */

/* Who has a click in hand. */
enum stage {
	IN_GROUPS,
	ALONE,	    /* its own session keeps it waiting, not the database */
	IN_JOURNAL, /* of this node */
	GIVEN_UP,   /* nobody waits for it: a copy is in the journal */
};

/*
 * A click that waits. It belongs to the one who waits and to the one who
 * records, and ends with the later of them: neither can hold the other up.
 */
struct waiting {
	struct arena *arena;
	struct click click;
	struct join_link link;
	struct waiting *next;
	int64_t happened_us, until_ms;
	atomic_int holders;
	unsigned round; /* in which it was asked for last, one by one */
	_Atomic enum stage stage;
	struct click_result result;
	atomic_bool is_decided; /* result may be read */
};

/* A queue and the thread that empties it. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct waiting *first, **last;
};

static struct queue groups = { .lock = PTHREAD_MUTEX_INITIALIZER,
			       .filled = PTHREAD_COND_INITIALIZER,
			       .last = &groups.first };
static struct queue singles = { .lock = PTHREAD_MUTEX_INITIALIZER,
				.filled = PTHREAD_COND_INITIALIZER,
				.last = &singles.first };
static struct queue journal = { .lock = PTHREAD_MUTEX_INITIALIZER,
				.filled = PTHREAD_COND_INITIALIZER,
				.last = &journal.first };
static const struct conf *conf;
static void (*wake)(void);  /* whoever waits for what has been decided */
static atomic_bool is_away; /* the database, as the last attempt found it */

static const char *copy(struct arena *a, const char *text)
{
	return text ? arena_copy(a, text, strlen(text)) : NULL;
}

static struct waiting *waiting_new(const struct click *click)
{
	struct waiting *w = calloc(1, sizeof *w);

	if (!w) {
		log_error("out of memory");
		exit(EXIT_FAILURE);
	}
	w->arena = arena_new();
	w->link = *click->link;
	w->link.zoom_url = copy(w->arena, click->link->zoom_url);
	w->click = (struct click){ .key = copy(w->arena, click->key),
				   .link = &w->link,
				   .visitor = click->visitor,
				   .address = copy(w->arena, click->address),
				   .agent = copy(w->arena, click->agent),
				   .login = copy(w->arena, click->login) };
	w->until_ms = monotonic_ms() + CLICK_DEADLINE_MS;
	atomic_init(&w->holders, 2);
	return w;
}

static void leave(struct waiting *w)
{
	if (atomic_fetch_sub(&w->holders, 1) > 1)
		return;
	arena_free(w->arena);
	free(w);
}

static void put(struct queue *q, struct waiting *w)
{
	w->next = NULL;
	pthread_mutex_lock(&q->lock);
	*q->last = w;
	q->last = &w->next;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

static size_t take_locked(struct queue *q, struct waiting **out, size_t max)
{
	size_t n = 0;

	while (q->first && n < max) {
		out[n++] = q->first;
		q->first = q->first->next;
	}
	if (!q->first)
		q->last = &q->first;
	return n;
}

/* Takes up to max of those that wait, at least one; of the groups none while the database is away.
 */
static size_t take(struct queue *q, struct waiting **out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&q->lock);
	while (!q->first && !(q == &groups && atomic_load(&is_away)))
		pthread_cond_wait(&q->filled, &q->lock);
	if (q->first)
		n = take_locked(q, out, max);
	pthread_mutex_unlock(&q->lock);
	return n;
}

/* Takes one if any waits. */
static bool take_now(struct queue *q, struct waiting **out)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = take_locked(q, out, 1);
	pthread_mutex_unlock(&q->lock);
	return n == 1;
}

/* From now on nobody waits for the database. Wakes the thread that finds out when it is back. */
static void declare_away(void)
{
	pthread_mutex_lock(&groups.lock);
	atomic_store(&is_away, true);
	pthread_cond_signal(&groups.filled);
	pthread_mutex_unlock(&groups.lock);
}

/* The arena of the result ends with its group, so the URL moves to the one who waits. */
static void finish(struct waiting *w, const struct click_result *result)
{
	w->result = (struct click_result){ result->answer, copy(w->arena, result->zoom_url) };
	atomic_store(&w->is_decided, true);
	leave(w);
}

static void pass_on(struct waiting *w, struct queue *q, enum stage stage)
{
	if (atomic_exchange(&w->stage, stage) == GIVEN_UP)
		leave(w);
	else
		put(q, w);
}

/* The database does not have it: this node keeps it. */
static void put_in_journal(struct waiting *w)
{
	pass_on(w, &journal, IN_JOURNAL);
}

/* Nothing that one click brought, and no lost connection, makes the others fail. */
static void record_group(struct db *db, struct arena *a, struct waiting **group, size_t n)
{
	const struct click *clicks[CLICK_GROUP_MAX];
	struct click_result results[CLICK_GROUP_MAX];
	bool is_done[CLICK_GROUP_MAX];
	enum err e;

	for (size_t i = 0; i < n; i++)
		clicks[i] = &group[i]->click;
	db_deadline(db, (int)(group[0]->until_ms - monotonic_ms())); /* who came first */
	e = click_record_group(db, a, clicks, n, is_done, results);
	if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
		declare_away();
	for (size_t i = 0; i < n; i++) {
		if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT) {
			put_in_journal(group[i]);
		} else if (e || !is_done[i]) {
			pass_on(group[i], &singles, ALONE);
		} else {
			finish(group[i], &results[i]);
		}
	}
	wake();
}

/* Once a minute while clicks come, and never before one that waits. */
static void measure_clock(struct db *db)
{
	static int64_t last_us;
	int64_t now = journal_now_us();

	if (now - last_us < CLOCK_EVERY_US && now >= last_us)
		return;
	last_us = now;
	if (probe_database(db, conf))
		log_warn("the database's clock could not be read");
}

/* Meanwhile nobody is kept waiting. */
static void wait_until_back(struct db *db)
{
	const struct timespec pause = { .tv_sec = PROBE_EVERY_MS / 1000 };

	log_warn("the database is away: clicks go to the journal");
	do {
		struct waiting *w;

		while (take_now(&groups, &w))
			put_in_journal(w);
		nanosleep(&pause, NULL);
	} while (probe_database(db, conf));
	atomic_store(&is_away, false);
	log_info("the database is back");
}

static void *run_groups(void *arg)
{
	struct waiting *group[CLICK_GROUP_MAX];
	struct db *db = db_new(conf->database_url);

	(void)arg;
	for (;;) {
		size_t n = take(&groups, group, CLICK_GROUP_MAX);
		struct arena *a = arena_new();

		if (n)
			record_group(db, a, group, n);
		arena_free(a);
		if (atomic_load(&is_away))
			wait_until_back(db);
		else
			measure_clock(db);
	}
	return NULL;
}

/*
 * Each has its own deadline, however long those before it took. One whose
 * session another transaction holds goes to the end of the line and keeps
 * nobody waiting.
 */
static void record_single(struct db *db, struct arena *a, struct waiting *w)
{
	int64_t left_ms = w->until_ms - monotonic_ms();
	enum err e = ERR_UNAVAILABLE;
	struct click_result result;

	if (left_ms > 0) {
		db_deadline(db, (int)left_ms);
		e = click_record(db, a, &w->click, &result);
	}
	if (e == ERR_CONFLICT) {
		pass_on(w, &singles, ALONE);
	} else if (e) {
		put_in_journal(w);
	} else {
		finish(w, &result);
		wake();
	}
}

static void *run_singles(void *arg)
{
	const struct timespec pause = { .tv_nsec = HELD_MS * 1000000L };
	struct db *db = db_new(conf->database_url);
	unsigned round = 1; /* through the line */

	(void)arg;
	for (;;) {
		struct arena *a = arena_new();
		struct waiting *w;

		take(&singles, &w, 1);
		if (w->round == round) { /* all that wait were asked for since */
			nanosleep(&pause, NULL);
			round++;
		}
		w->round = round;
		record_single(db, a, w);
		arena_free(a);
	}
	return NULL;
}

static struct journal_entry entry_of(struct arena *a, const struct waiting *w)
{
	return (struct journal_entry){
		.kind = JOURNAL_CLICK,
		.id = w->click.key,
		.happened_us = w->happened_us,
		.session_id = w->link.session_id,
		.link_id = join_link_id_text(a, &w->link),
		.sent_us = w->link.sent_us,
		.expires_us = w->link.expires_us,
		.address = w->click.address,
		.agent = w->click.agent,
		.login = w->click.login ? token_hash(a, w->click.login) : NULL,
	};
}

/*
 * The database is away: the sealed link alone opens the class, and the clicks
 * are durable on this node before it does. A student is never refused because
 * of our outage, so a journal that fails stops nobody either; it is logged.
 */
static void keep(struct arena *a, struct waiting **group, size_t n)
{
	struct journal_entry entries[CLICK_GROUP_MAX];
	struct click_result results[CLICK_GROUP_MAX];
	int64_t offset_us = journal_clock_offset_us(conf->journal_dir);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const struct waiting *w = group[i];
		bool expired = w->happened_us + offset_us >= w->link.expires_us;

		results[i] = (struct click_result){ expired ? CLICK_EXPIRED : CLICK_OPENS,
						    w->link.zoom_url };
		if (!expired && w->click.visitor == VISITOR_HUMAN)
			entries[kept++] = entry_of(a, w);
	}
	if (kept)
		(void)!journal_append(conf->journal_dir, a, entries, kept);
	for (size_t i = 0; i < n; i++)
		finish(group[i], &results[i]);
	wake();
}

static void *run_journal(void *arg)
{
	struct waiting *group[CLICK_GROUP_MAX];

	(void)arg;
	for (;;) {
		size_t n = take(&journal, group, CLICK_GROUP_MAX);
		struct arena *a = arena_new();

		keep(a, group, n);
		arena_free(a);
	}
	return NULL;
}

enum err click_group_start(const struct conf *with, void (*when_decided)(void))
{
	pthread_t thread;

	conf = with;
	wake = when_decided;
	journal_state_open(conf->journal_dir);
	if (pthread_create(&thread, NULL, run_groups, NULL) ||
	    pthread_create(&thread, NULL, run_singles, NULL) ||
	    pthread_create(&thread, NULL, run_journal, NULL)) {
		log_error("cannot start the threads that record clicks");
		return ERR_INTERNAL;
	}
	return OK;
}

/* A new place in line. */
static struct waiting *join(const struct click *click, int64_t happened_us, enum stage stage)
{
	struct waiting *w = waiting_new(click);

	w->happened_us = happened_us;
	atomic_init(&w->stage, stage);
	put(stage == IN_JOURNAL ? &journal : &groups, w);
	return w;
}

struct waiting *click_group_join(const struct click *click)
{
	return join(click, journal_now_us(), atomic_load(&is_away) ? IN_JOURNAL : IN_GROUPS);
}

/* The recording thread itself is stuck, say in a name server's silence: a copy goes to the journal.
 */
static struct waiting *give_up(struct waiting *w)
{
	enum stage stage = atomic_load(&w->stage);
	struct waiting *other;

	if (stage == IN_JOURNAL || !atomic_compare_exchange_strong(&w->stage, &stage, GIVEN_UP))
		return w;
	if (stage == IN_GROUPS)
		declare_away();
	other = join(&w->click, w->happened_us, IN_JOURNAL);
	leave(w);
	return other;
}

bool click_group_leave(struct waiting **place, struct arena *a, struct click_result *out)
{
	struct waiting *w = *place;

	if (!atomic_load(&w->is_decided)) {
		if (monotonic_ms() > w->until_ms + GRACE_MS)
			*place = give_up(w);
		return false;
	}
	*out = (struct click_result){ w->result.answer, copy(a, w->result.zoom_url) };
	leave(w);
	*place = NULL;
	return true;
}

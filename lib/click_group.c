#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "app_parent.h"
#include "click_group.h"
#include "journal.h"
#include "log.h"

#define CLOCK_EVERY_US INT64_C(60000000)

/* A click that waits. It lives on the stack of the thread that waits for it. */
struct waiting {
	const struct click *click;
	struct waiting *next;
	int64_t until_ms;
	enum err err;
	struct click_result result;
	char zoom_url[JOIN_LINK_URL_MAX + 1];
	sem_t done;
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
static const struct conf *conf;
static atomic_bool is_away; /* the database, as the last attempt found it */

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

/* Takes up to max of those that wait, at least one. */
static size_t take(struct queue *q, struct waiting **out, size_t max)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	while (!q->first)
		pthread_cond_wait(&q->filled, &q->lock);
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

/* The arena of the result ends with its group, so the URL moves to the one who waits. */
static void finish(struct waiting *w, enum err e, const struct click_result *result)
{
	w->err = e;
	if (!e) {
		size_t len = strnlen(result->zoom_url, JOIN_LINK_URL_MAX);

		memcpy(w->zoom_url, result->zoom_url, len);
		w->zoom_url[len] = '\0';
		w->result = (struct click_result){ result->answer, w->zoom_url };
	}
	sem_post(&w->done);
}

/* Nothing that one click brought, and no lost connection, makes the others fail. */
static void record_group(struct db *db, struct arena *a, struct waiting **group, size_t n)
{
	const struct click *clicks[CLICK_GROUP_MAX];
	struct click_result results[CLICK_GROUP_MAX];
	bool is_done[CLICK_GROUP_MAX];
	enum err e;

	for (size_t i = 0; i < n; i++)
		clicks[i] = group[i]->click;
	db_deadline(db, CLICK_DEADLINE_MS);
	e = click_record_group(db, a, clicks, n, is_done, results);
	if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
		atomic_store(&is_away, true);
	for (size_t i = 0; i < n; i++) {
		if (atomic_load(&is_away))
			finish(group[i], ERR_UNAVAILABLE, NULL);
		else if (e || !is_done[i])
			put(&singles, group[i]);
		else
			finish(group[i], OK, &results[i]);
	}
}

/* Measures how far the database's clock is from ours, for the journal's sake. */
static enum err probe(struct db *db)
{
	struct arena *a = arena_new();
	int64_t before = journal_now_us(), theirs = 0;
	struct db_rows r;
	enum err e;

	db_deadline(db, CLICK_DEADLINE_MS);
	e = db_read(db, a, "SELECT us(clock_timestamp())", 0, NULL, &r);
	if (!e)
		e = db_one_i64(&r, &theirs);
	if (!e && conf->journal_dir)
		journal_note_clock(conf->journal_dir, before, theirs, journal_now_us());
	arena_free(a);
	return e;
}

/* Once a minute while clicks come, and never before one that waits. */
static void measure_clock(struct db *db)
{
	static int64_t last_us;
	int64_t now = journal_now_us();

	if (now - last_us < CLOCK_EVERY_US && now >= last_us)
		return;
	last_us = now;
	if (probe(db))
		log_warn("the database's clock could not be read");
}

/* Asks once a second; meanwhile nobody is kept waiting. */
static void wait_until_back(struct db *db)
{
	const struct timespec pause = { .tv_sec = 1 };

	log_warn("the database is away: clicks go to the journal");
	do {
		struct waiting *w;

		while (take_now(&groups, &w))
			finish(w, ERR_UNAVAILABLE, NULL);
		nanosleep(&pause, NULL);
	} while (probe(db));
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

		record_group(db, a, group, n);
		arena_free(a);
		if (atomic_load(&is_away))
			wait_until_back(db);
		else
			measure_clock(db);
	}
	return NULL;
}

/* Many may wait for one lock: each has its own deadline, however long those before it took. */
static void record_single(struct db *db, struct arena *a, struct waiting *w)
{
	int64_t left_ms = w->until_ms - monotonic_ms();
	struct click_result result;
	enum err e;

	if (left_ms <= 0) {
		finish(w, ERR_UNAVAILABLE, NULL);
		return;
	}
	db_deadline(db, (int)left_ms);
	e = click_record(db, a, w->click, &result);
	if (e == ERR_IN_DOUBT) /* idempotent: ask what became of it */
		e = click_record(db, a, w->click, &result);
	finish(w, e, &result);
}

static void *run_singles(void *arg)
{
	struct db *db = db_new(conf->database_url);

	(void)arg;
	for (;;) {
		struct arena *a = arena_new();
		struct waiting *w;

		take(&singles, &w, 1);
		record_single(db, a, w);
		arena_free(a);
	}
	return NULL;
}

enum err click_group_start(const struct conf *with)
{
	pthread_t thread;

	conf = with;
	if (pthread_create(&thread, NULL, run_groups, NULL) ||
	    pthread_create(&thread, NULL, run_singles, NULL)) {
		log_error("cannot start the threads that record clicks");
		return ERR_INTERNAL;
	}
	return OK;
}

enum err click_group_record(struct arena *a, const struct click *click, struct click_result *out)
{
	struct waiting w = { .click = click, .until_ms = monotonic_ms() + CLICK_DEADLINE_MS };

	if (atomic_load(&is_away))
		return ERR_UNAVAILABLE;
	sem_init(&w.done, 0, 0);
	put(&groups, &w);
	while (sem_wait(&w.done))
		continue; /* a signal */
	sem_destroy(&w.done);
	if (w.err)
		return w.err;
	out->answer = w.result.answer;
	out->zoom_url = arena_copy(a, w.zoom_url, strlen(w.zoom_url));
	return OK;
}

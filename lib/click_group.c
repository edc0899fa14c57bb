#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "click_group.h"
#include "log.h"

/* A click that waits. It lives on the stack of the thread that waits for it. */
struct waiting {
	const struct click *click;
	struct waiting *next;
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
static const char *conninfo;

static void put(struct queue *q, struct waiting *w)
{
	w->next = NULL;
	pthread_mutex_lock(&q->lock);
	*q->last = w;
	q->last = &w->next;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

/* Takes up to max of those that wait, at least one. */
static size_t take(struct queue *q, struct waiting **out, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&q->lock);
	while (!q->first)
		pthread_cond_wait(&q->filled, &q->lock);
	while (q->first && n < max) {
		out[n++] = q->first;
		q->first = q->first->next;
	}
	if (!q->first)
		q->last = &q->first;
	pthread_mutex_unlock(&q->lock);
	return n;
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
	for (size_t i = 0; i < n; i++) {
		if (e == ERR_UNAVAILABLE || e == ERR_IN_DOUBT)
			finish(group[i], ERR_UNAVAILABLE, NULL);
		else if (e || !is_done[i])
			put(&singles, group[i]);
		else
			finish(group[i], OK, &results[i]);
	}
}

static void *run_groups(void *arg)
{
	struct waiting *group[CLICK_GROUP_MAX];
	struct db *db = db_new(conninfo);

	(void)arg;
	for (;;) {
		size_t n = take(&groups, group, CLICK_GROUP_MAX);
		struct arena *a = arena_new();

		record_group(db, a, group, n);
		arena_free(a);
	}
	return NULL;
}

static void *run_singles(void *arg)
{
	struct db *db = db_new(conninfo);

	(void)arg;
	for (;;) {
		struct waiting *w;
		struct click_result result;
		struct arena *a;
		enum err e;

		take(&singles, &w, 1);
		a = arena_new();
		db_deadline(db, CLICK_DEADLINE_MS);
		e = click_record(db, a, w->click, &result);
		if (e == ERR_IN_DOUBT) /* idempotent: ask what became of it */
			e = click_record(db, a, w->click, &result);
		finish(w, e, &result);
		arena_free(a);
	}
	return NULL;
}

enum err click_group_start(const struct conf *conf)
{
	pthread_t thread;

	conninfo = conf->database_url;
	if (pthread_create(&thread, NULL, run_groups, NULL) ||
	    pthread_create(&thread, NULL, run_singles, NULL)) {
		log_error("cannot start the threads that record clicks");
		return ERR_INTERNAL;
	}
	return OK;
}

enum err click_group_record(struct arena *a, const struct click *click, struct click_result *out)
{
	struct waiting w = { .click = click };

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

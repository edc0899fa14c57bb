/*
 * Prints what decide() and presence_of() say of the cases on standard input,
 * so that a test can hold them against its own idea of the rules.
 *
 * A case is a line of words: duration_s buffer_s link_s now_us n, then for
 * each of n pieces of evidence: id kind field|- happened_us received_us
 * lasts_us occurrence participant role. Its answer is a line too: status clicked
 * times_out ended ended_by estimated deciding_id corrected zoom_seen unsettled
 * has sides teacher_s student_s both_s, with - for what there is not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "decide.h"
#include "presence.h"

#define EVIDENCE_MAX 64

static void refuse(const char *what)
{
	fprintf(stderr, "decide_driver: %s\n", what);
	exit(2);
}

/* Cuts the next word off *line. */
static const char *word(char **line)
{
	char *start = *line + strspn(*line, " \n");
	size_t len = strcspn(start, " \n");

	if (!len)
		refuse("a word is missing");
	*line = start + len;
	if (**line)
		*(*line)++ = '\0';
	return start;
}

static int64_t number(char **line)
{
	const char *text = word(line);
	char *rest;
	int64_t n;

	errno = 0;
	n = strtoll(text, &rest, 10);
	if (errno || *rest)
		refuse("that is no number");
	return n;
}

static struct evidence read_event(char **line)
{
	struct evidence e = { .id = number(line) };
	const char *name = word(line), *field = word(line);

	if (!kind_of(name, strcmp(field, "-") == 0 ? NULL : field, &e.kind) &&
	    strcmp(name, "other") != 0)
		refuse("no such kind");
	e.happened_us = number(line);
	e.received_us = number(line);
	e.lasts_us = number(line);
	e.occurrence = (int)number(line);
	e.participant = (int)number(line);
	e.role = (enum role)number(line);
	return e;
}

static void print_moment(bool is_there, int64_t us)
{
	if (is_there)
		printf("%" PRId64 " ", us);
	else
		printf("- ");
}

static void print_decision(const struct decision *d)
{
	const char *ender = ender_name(d->ended_by);

	printf("%s ", status_name(d->status));
	print_moment(d->has_click, d->clicked_us);
	print_moment(d->has_click, d->times_out_us);
	print_moment(d->has_end, d->ended_us);
	printf("%s %d %" PRId64 " %d %d %d ", ender ? ender : "-", d->estimated, d->deciding_id,
	       d->corrected, d->zoom_seen, d->unsettled);
}

static void print_presence(const struct presence *p)
{
	printf("%d %d %" PRId64 " %" PRId64 " %" PRId64 "\n", p->has, p->sides, p->teacher_s,
	       p->student_s, p->both_s);
}

static void answer(char *line)
{
	struct evidence events[EVIDENCE_MAX];
	struct arena *a = arena_new();
	struct terms terms;
	struct decision d;
	struct presence p;
	int64_t now, n;

	terms.duration_s = number(&line);
	terms.buffer_s = number(&line);
	terms.link_s = number(&line);
	now = number(&line);
	n = number(&line);
	if (n < 0 || n > EVIDENCE_MAX)
		refuse("too many events");
	for (int64_t i = 0; i < n; i++)
		events[i] = read_event(&line);
	d = decide(&terms, events, (size_t)n, now);
	p = presence_of(a, events, (size_t)n, d.clicked_us, d.ended_us);
	print_decision(&d);
	print_presence(&p);
	arena_free(a);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0)
		answer(line);
	free(line);
	return 0;
}

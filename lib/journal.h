#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * What people did while the database was away, on this node's disk. A line is
 * durable before anyone is answered, carries a checksum, and is replayed
 * later (lib/journal_replay.h) with its true moment.
 *
 * Files in JOURNAL_DIR: "journal" takes new lines; "*.replay" are being
 * replayed; "*.bad" keeps lines that cannot be read; "offset" holds the last
 * measured distance to the database's clock; "lost" counts: journal_state.h.
 * What a kill leaves of files that were being written, "*.new" and "offset.*",
 * holds nothing that anybody was answered for.
 */
enum journal_kind { JOURNAL_CLICK, JOURNAL_LEFT };

const char *journal_kind_name(enum journal_kind kind);

#define JOURNAL_ID_BYTES 16

struct journal_entry {
	enum journal_kind kind;
	const char *id;	     /* unique; NULL: journal_append() makes one */
	int64_t happened_us; /* by this node's clock; 0: journal_append() says now */
	int64_t offset_us;   /* the database's clock minus this node's, as last measured */
	int64_t session_id;
	/* Clicks: from the sealed link. */
	const char *link_id; /* 32 hex digits */
	int64_t sent_us, expires_us;
	const char *address, *agent; /* NULL: unknown; of the address its network is kept */
	const char *login;	     /* the hash of the login token that came along, or NULL */
};

/* A fresh id, 32 hex digits, which PostgreSQL reads as a UUID. */
const char *journal_id(struct arena *a);

/* This node's clock, microseconds since 1970 UTC. */
int64_t journal_now_us(void);

/*
 * Writes n entries to disk, with one sync for all if the disk lets it; offset_us is filled in here.
 * When it returns OK the lines survive a crash; one may be there twice, under its id. From any
 * thread or process, and waits for none.
 *
 * ERR_UNAVAILABLE  some could not be made durable; why is logged, and each is counted as lost
 */
MUST_CHECK enum err journal_append(const char *dir, struct arena *a,
				   const struct journal_entry *entries, size_t n);

/*
 * Remembers how far the database's clock is from this node's, when it answered
 * theirs_us to a question asked at before_us and answered at after_us here. A
 * distance that the answer's own delay explains is none. Written to disk at
 * most once a minute.
 */
void journal_note_clock(const char *dir, int64_t before_us, int64_t theirs_us, int64_t after_us);

/*
 * The database's clock minus this node's: as measured here in the last two minutes, else by another
 * program, else as ever measured here, else 0.
 */
int64_t journal_clock_offset_us(const char *dir);

/*
 * Sets the lines written so far aside for replay. Each file is then read by
 * journal_next(). ERR_UNAVAILABLE: the folder cannot be used; logged.
 */
MUST_CHECK enum err journal_rotate(const char *dir);

/* Reads one line's text into *out. ERR_INVALID: torn or damaged. */
MUST_CHECK enum err journal_parse(struct arena *a, const char *line, struct journal_entry *out);

/* The text of an entry with its checksum, without line ends. */
const char *journal_line(struct arena *a, const struct journal_entry *entry);

#endif

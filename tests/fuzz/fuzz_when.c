/* Text and moment agree both ways, and gmtime_r agrees with both. */
#include "fuzz.h"

#include <time.h>

#include "when.h"

static void from_moment(struct arena *a, int64_t us)
{
	const char *text = when_text(a, us);
	time_t s = (time_t)(us / 1000000);
	char want[32];
	struct tm tm;
	int64_t back;

	claim(!text == (us < 0 || us > WHEN_MAX_US));
	if (!text)
		return;
	claim(when_parse(text, &back) == OK && back == us);
	claim(gmtime_r(&s, &tm) && strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm) == 19);
	claim(!strncmp(text, want, 19));
	claim(when_is_date(arena_copy(a, text, 10)));
}

static void from_text(struct arena *a, const char *text)
{
	const char *again;
	int64_t us;

	if (when_parse(text, &us)) {
		claim(us == 0);
		return;
	}
	again = when_text(a, us);
	claim(again && !strncmp(again, text, 19));
	/* Written with all six decimals or none, the text is the one we write. */
	if (strlen(text) == 27 && us % 1000000)
		claim(!strcmp(again, text));
	if (strlen(text) == 20)
		claim(!strcmp(again, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	const char *text = arena_copy(a, (const char *)data, len);
	int64_t us;

	from_text(a, text);
	if (when_is_date(text) && strcmp(text, "1970") > 0)
		claim(when_parse(arena_printf(a, "%sT00:00:00Z", text), &us) == OK);
	if (len >= sizeof us) {
		memcpy(&us, data, sizeof us);
		from_moment(a, us);
		if (us >= 0)
			from_moment(a, us % (WHEN_MAX_US + 1));
	}
	arena_free(a);
	return 0;
}

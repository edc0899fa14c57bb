/* The table agrees with decoding by arithmetic. */
#include "fuzz.h"

#include "utf8.h"

/* Decodes one character by its bits; bytes taken, 0 if it is none. */
static size_t by_arithmetic(const uint8_t *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80	     ? 1
		   : s[0] >> 5 == 6  ? 2
		   : s[0] >> 4 == 14 ? 3
		   : s[0] >> 3 == 30 ? 4
				     : 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	return c < least[n] || c > 0x10ffff || c >> 11 == 0x1b ? 0 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t at = 0, n = 1;

	while (at < len && n) {
		n = by_arithmetic(data + at, len - at);
		at += n;
	}
	claim(utf8_valid((const char *)data, len) == (n > 0));
	return 0;
}

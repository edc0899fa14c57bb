/* Bytes have one spelling: every other one is refused. */
#include "unit.h"

#include "base64url.h"

static void encodes_as_the_rfc_does_without_padding(void **state)
{
	/* RFC 4648 §10, and the two characters that differ from plain base64. */
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "-_8" },
	};
	char out[8];
	size_t len;

	for (size_t i = 0; i < COUNT(pairs); i++) {
		size_t n = strlen(pairs[i][0]);

		assert_string_equal(base64url_encode(*state, pairs[i][0], n), pairs[i][1]);
		assert_int_equal(BASE64URL_LEN(n), strlen(pairs[i][1]));
		assert_int_equal(base64url_decode(pairs[i][1], out, sizeof out, &len), OK);
		assert_int_equal(len, n);
		assert_memory_equal(out, pairs[i][0], n);
	}
}

static void refuses_every_other_spelling(void **state)
{
	static const char *const bad[] = {
		"Zg==",	 "Zg=", "Zm8=",	 "Zh",	   "Zi",    "Zj",   "Zm9",   "Z",
		"Zm9vY", "+/8", "Zm 9v", "Zm9v\n", " Zm9v", "Zm.9", "Zm9v%", "Zm9v\x80",
	};
	unsigned char out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(base64url_decode(bad[i], out, sizeof out, &len), ERR_INVALID);
}

static void takes_no_byte_outside_its_alphabet_wherever_it_stands(void **state)
{
	unsigned char out[8];
	char all[5] = "";
	size_t len;

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			   byte))
			continue;
		for (size_t at = 0; at < 8; at++) {
			char text[] = "Zm9vYmFy";

			text[at] = (char)byte;
			assert_int_equal(base64url_decode(text, out, sizeof out, &len),
					 ERR_INVALID);
		}
		memset(all, byte, 4);
		assert_int_equal(base64url_decode(all, out, sizeof out, &len), ERR_INVALID);
	}
}

static void fills_the_room_it_is_given_and_not_a_byte_more(void **state)
{
	unsigned char out[2] = { 0 };
	size_t len;

	(void)state;
	assert_int_equal(base64url_decode("Zm8", out, 2, &len), OK);
	assert_int_equal(len, 2);
	assert_int_equal(base64url_decode("Zm8", out, 1, &len), ERR_INVALID);
	assert_int_equal(base64url_decode("Zm9v", out, 2, &len), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(encodes_as_the_rfc_does_without_padding),
		cmocka_unit_test(refuses_every_other_spelling),
		cmocka_unit_test(takes_no_byte_outside_its_alphabet_wherever_it_stands),
		cmocka_unit_test(fills_the_room_it_is_given_and_not_a_byte_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

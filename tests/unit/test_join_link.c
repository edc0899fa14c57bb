/* The token gives back what was sealed into it, and nothing else opens. */
#include "unit.h"

#include <sodium.h>
#include <stdio.h>

#include "join_link.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

#define ZOOM "https://us02web.zoom.us/j/81234567890?pwd=QmVzdFRlYWNoZXJFdmVy.1"

static struct keys load(const char *text)
{
	struct keys keys;

	assert_int_equal(keys_load(text, &keys, NULL), OK);
	return keys;
}

static struct join_link sample(const char *zoom_url)
{
	return (struct join_link){
		.session_id = INT64_C(9007199254740993),
		.link_id = { 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0 },
		.sent_us = INT64_C(1767261600123456),
		.expires_us = INT64_C(1767304800123456),
		.zoom_url = zoom_url,
	};
}

static const char *seal(struct arena *a, const char *secrets, const char *zoom_url)
{
	struct keys keys = load(secrets);
	struct join_link link = sample(zoom_url);
	const char *text = join_link_seal(a, &keys, &link);

	assert_non_null(text);
	return text;
}

static void assert_opens(struct arena *a, const char *secrets, const char *text,
			 const struct join_link *want)
{
	struct keys keys = load(secrets);
	struct join_link got;

	assert_int_equal(join_link_open(a, &keys, text, &got), OK);
	assert_int_equal(got.session_id, want->session_id);
	assert_memory_equal(got.link_id, want->link_id, JOIN_LINK_ID_BYTES);
	assert_int_equal(got.sent_us, want->sent_us);
	assert_int_equal(got.expires_us, want->expires_us);
	assert_string_equal(got.zoom_url, want->zoom_url);
}

static void assert_not_found(struct arena *a, const char *secrets, const char *text)
{
	struct keys keys = load(secrets);
	struct join_link got;

	assert_int_equal(join_link_open(a, &keys, text, &got), ERR_NOT_FOUND);
	assert_int_equal(got.session_id, 0);
	assert_null(got.zoom_url);
}

static void opens_what_it_sealed(void **state)
{
	struct join_link want = sample(ZOOM);

	assert_opens(*state, A, seal(*state, A, ZOOM), &want);
}

static void takes_urls_from_one_byte_to_the_longest(void **state)
{
	char url[JOIN_LINK_URL_MAX + 2];
	struct join_link want = sample(url);
	struct keys keys = load(A);
	const char *text;

	memset(url, 'x', sizeof url);
	url[1] = '\0';
	assert_opens(*state, A, seal(*state, A, url), &want);
	url[1] = 'x';
	url[JOIN_LINK_URL_MAX] = '\0';
	text = seal(*state, A, url);
	assert_int_equal(strlen(text), JOIN_LINK_TEXT_MAX);
	assert_true(JOIN_LINK_TEXT_MAX < 1200);
	assert_opens(*state, A, text, &want);

	url[JOIN_LINK_URL_MAX] = 'x';
	url[JOIN_LINK_URL_MAX + 1] = '\0';
	assert_null(join_link_seal(*state, &keys, &want));
	url[0] = '\0';
	assert_null(join_link_seal(*state, &keys, &want));
}

static void a_usual_token_fits_a_button(void **state)
{
	size_t len = strlen(seal(*state, A, ZOOM));

	printf("# a token over a Zoom URL of %zu bytes has %zu characters\n", strlen(ZOOM), len);
	assert_true(len < 220);
}

static void the_same_link_is_the_same_text_and_another_shares_no_nonce(void **state)
{
	const char *text = seal(*state, A, ZOOM), *other = seal(*state, A, ZOOM "x");

	assert_string_equal(text, seal(*state, A, ZOOM));
	assert_memory_not_equal(text + 2, other + 2, BASE64URL_LEN(24) - 1);
}

/* Links in chats outlive an upgrade. This one was made by another implementation, in Python. */
static void opens_a_token_of_the_first_version(void **state)
{
	struct join_link want = sample("https://zoom.us/j/123456789");

	assert_opens(*state, A,
		     "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWF0CMr_gn5GZMxFdoVKZsGap0hGIpbSquyjOxPIDw"
		     "GkgqqiEtN-1kNLuRDaxTctKkdMiuxurCEEczeDo2MoUrHutFtJJzluDrwqDSbxmIfJW_UPDs",
		     &want);
}

/* A repeated send-link answers what it answered before, by whatever version of the program. The
 * nonce in it was made by another implementation too. */
static void seals_the_text_that_every_version_seals(void **state)
{
	assert_string_equal(
		seal(*state, A, "https://zoom.us/j/123456789"),
		"AdFLOXvw98HjsJX1m2-7xFCvfYCwv3sEX0UmxK1f9ADCFbxgQB8G8ddodcZ57HWVQyzWR1iE"
		"Pl83GGmpSzWCv3b7VKw2jSlOSfSYx-64dA0Q06BjEwx1keZFRIXErsi7ag57C9wHv6SsSumx");
}

static void what_is_sealed_without_a_zoom_link_does_not_open(void **state)
{
	enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, PLAIN = 40 };
	const unsigned char plain[PLAIN + 1] = { 0 };
	unsigned char sealed[1 + NONCE + PLAIN + 1 + crypto_aead_xchacha20poly1305_ietf_ABYTES] = {
		1
	};
	struct keys keys = load(A);

	for (size_t n = 0; n <= PLAIN + 1; n++) {
		unsigned long long len;
		struct join_link got;

		crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + 1 + NONCE, &len, plain, n,
							   sealed, 1, NULL, sealed + 1,
							   keys.key[KEY_JOIN_LINK][0]);
		assert_int_equal(
			join_link_open(*state, &keys,
				       base64url_encode(*state, sealed, 1 + NONCE + (size_t)len),
				       &got),
			n <= PLAIN ? ERR_NOT_FOUND : OK);
	}
}

static void a_key_that_is_not_of_the_list_opens_nothing(void **state)
{
	struct keys keys = load(A), others = load(B);
	struct join_link got;

	memcpy(keys.key[KEY_JOIN_LINK][1], others.key[KEY_JOIN_LINK][0], KEY_BYTES);
	assert_int_equal(join_link_open(*state, &keys, seal(*state, B, ZOOM), &got), ERR_NOT_FOUND);
}

static void the_id_is_written_as_the_database_takes_a_uuid(void **state)
{
	struct join_link link = sample(ZOOM);

	assert_string_equal(join_link_id_text(*state, &link), "ff0102030405060708090a0b0c0d0e00");
}

static void every_secret_of_the_list_opens_and_the_first_seals(void **state)
{
	struct join_link want = sample(ZOOM);
	const char *old = seal(*state, A, ZOOM);

	assert_opens(*state, B "," A, old, &want);
	assert_opens(*state, B, seal(*state, B "," A, ZOOM), &want);
	assert_not_found(*state, B, old);
	assert_not_found(*state, A, seal(*state, B "," A, ZOOM));
}

static void one_changed_bit_anywhere_makes_it_a_forgery(void **state)
{
	const char *text = seal(*state, A, ZOOM);
	unsigned char bytes[1024];
	size_t len;

	assert_int_equal(base64url_decode(text, bytes, sizeof bytes, &len), OK);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_not_found(*state, A, base64url_encode(*state, bytes, len));
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_not_found(*state, A, base64url_encode(*state, bytes, cut));
}

static void another_spelling_of_the_same_bytes_is_a_forgery(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	/* 81 + 2 bytes of URL leave four spare bits in the last character: 16 spellings. */
	char *text = arena_printf(*state, "%s", seal(*state, A, "https://zoom.us/j/123456789x"));
	char *last = text + strlen(text) - 1;
	char right = *last;

	assert_int_not_equal(strlen(text) % 4, 0);
	for (const char *c = alphabet; *c; c++) {
		*last = *c;
		if (*c != right)
			assert_not_found(*state, A, text);
	}
	*last = right;
	assert_not_found(*state, A, arena_printf(*state, "%s=", text));
	assert_not_found(*state, A, arena_printf(*state, "%s==", text));
	assert_not_found(*state, A, arena_printf(*state, " %s", text));
	assert_not_found(*state, A, arena_printf(*state, "%s\n", text));
	assert_not_found(*state, A, arena_printf(*state, "%sA", text));
}

static void garbage_of_any_length_is_a_forgery(void **state)
{
	static const char *const bad[] = { NULL, "", "A", "AQ", "token", "AQ==", "../..", "%00" };
	char *longest = arena_alloc(*state, 100001);

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_not_found(*state, A, bad[i]);
	memset(longest, 'A', 100000);
	for (size_t len = 100000; len > 0; len = len > 1000 ? len / 2 : len - 1) {
		longest[len] = '\0';
		assert_not_found(*state, A, longest);
	}
}

static void a_token_made_for_another_purpose_does_not_open(void **state)
{
	struct keys keys = load(A);
	struct join_link link = sample(ZOOM);

	memcpy(keys.key[KEY_JOIN_LINK][0], keys.key[KEY_CURSOR][0], KEY_BYTES);
	assert_not_found(*state, A, join_link_seal(*state, &keys, &link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ARENA(opens_what_it_sealed),
		WITH_ARENA(takes_urls_from_one_byte_to_the_longest),
		WITH_ARENA(a_usual_token_fits_a_button),
		WITH_ARENA(the_same_link_is_the_same_text_and_another_shares_no_nonce),
		WITH_ARENA(opens_a_token_of_the_first_version),
		WITH_ARENA(seals_the_text_that_every_version_seals),
		WITH_ARENA(what_is_sealed_without_a_zoom_link_does_not_open),
		WITH_ARENA(a_key_that_is_not_of_the_list_opens_nothing),
		WITH_ARENA(the_id_is_written_as_the_database_takes_a_uuid),
		WITH_ARENA(every_secret_of_the_list_opens_and_the_first_seals),
		WITH_ARENA(one_changed_bit_anywhere_makes_it_a_forgery),
		WITH_ARENA(another_spelling_of_the_same_bytes_is_a_forgery),
		WITH_ARENA(garbage_of_any_length_is_a_forgery),
		WITH_ARENA(a_token_made_for_another_purpose_does_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

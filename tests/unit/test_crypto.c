/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/crypto.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/token_forge.h"
#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))
#define BYTES_MAX 256

/* Bytes of a hex text. */
static size_t bytes_of(const char *hex, uint8_t out[BYTES_MAX])
{
	size_t size = strlen(hex) / 2;

	ck_assert_uint_le(size, BYTES_MAX);
	ck_assert(crypto_unhex(hex, out, size));
	return size;
}

struct digest_case {
	const char *text;
	const char *digest;
};

/* FIPS 180-4 examples. */
static const struct digest_case digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(crypto_sha256_gives_the_standard_digests)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];

	crypto_sha256(digests[_i].text, strlen(digests[_i].text), digest);

	ck_assert_str_eq(crypto_hex(digest, sizeof digest, hex), digests[_i].digest);
}
END_TEST

START_TEST(crypto_sha256_takes_a_million_bytes_and_none)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	char *text = malloc(1000000);

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', 1000000);
	crypto_sha256(text, 1000000, digest);
	ck_assert_str_eq(crypto_hex(digest, sizeof digest, hex),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
	crypto_sha256(NULL, 0, digest);
	ck_assert_str_eq(crypto_hex(digest, sizeof digest, hex), digests[0].digest);
}
END_TEST

struct mac_case {
	const char *key, *text; /* hex */
	const char *sha256, *sha512;
};

#define AA10 "aaaaaaaaaaaaaaaaaaaa"
#define AA131 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 AA10 "aa"
#define BYTES50(BYTE) \
	BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE \
	BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE \
	BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE BYTE

/* RFC 4231, test cases 1 to 4, 6 and 7. */
/* clang-format off */
static const struct mac_case macs[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
	{ "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ AA10 AA10, BYTES50("dd"),
	  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
	  "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	  "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb" },
	{ "0102030405060708090a0b0c0d0e0f10111213141516171819", BYTES50("cd"),
	  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
	  "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
	  "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd" },
	{ AA131,
	  "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
	  "65204b6579202d2048617368204b6579204669727374",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
	  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	{ AA131,
	  "5468697320697320612074657374207573696e672061206c6172676572207468"
	  "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
	  "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
	  "647320746f20626520686173686564206265666f7265206265696e6720757365"
	  "642062792074686520484d414320616c676f726974686d2e",
	  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
	  "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
	  "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58" },
};
/* clang-format on */

START_TEST(crypto_hmac_gives_the_codes_of_rfc_4231)
{
	struct secret key = { .size = 0 };
	uint8_t text[BYTES_MAX], code[CRYPTO_SHA512_SIZE];
	char hex[2 * CRYPTO_SHA512_SIZE + 1];
	size_t size = bytes_of(macs[_i].text, text);

	key.size = bytes_of(macs[_i].key, key.bytes);

	crypto_hmac_sha256(&key, text, size, code);
	ck_assert_str_eq(crypto_hex(code, CRYPTO_SHA256_SIZE, hex), macs[_i].sha256);
	crypto_hmac_sha512(&key, text, size, code);
	ck_assert_str_eq(crypto_hex(code, CRYPTO_SHA512_SIZE, hex), macs[_i].sha512);
}
END_TEST

struct gcm_case {
	const char *key, *nonce, *aad, *plain, *sealed; /* `sealed` is ciphertext and tag */
};

#define ZERO16 "00000000000000000000000000000000"
#define GCM_KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_PLAIN                                                                                  \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                         \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_CIPHER                                                                                 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"                         \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

/* The GCM specification (McGrew, Viega), test cases 13 to 16. */
static const struct gcm_case gcms[] = {
	{ ZERO16 ZERO16, "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ ZERO16 ZERO16, "000000000000000000000000", "", ZERO16,
	  "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
	{ GCM_KEY, "cafebabefacedbaddecaf888", "", GCM_PLAIN "1aafd255",
	  GCM_CIPHER "898015adb094dac5d93471bdec1a502270e3cc6c" },
	{ GCM_KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	  GCM_PLAIN, GCM_CIPHER "76fc6ece0f4e1768cddf8853bb2d551b" },
};

START_TEST(crypto_open_opens_the_vectors_of_gcm)
{
	const struct gcm_case *row = &gcms[_i];
	uint8_t key[BYTES_MAX], aad[BYTES_MAX], plain[BYTES_MAX], sealed[BYTES_MAX], out[BYTES_MAX];
	size_t aad_size = bytes_of(row->aad, aad), plain_size = bytes_of(row->plain, plain);
	size_t sealed_size = bytes_of(row->nonce, sealed);

	ck_assert_uint_eq(bytes_of(row->key, key), CRYPTO_KEY_SIZE);
	sealed_size += bytes_of(row->sealed, sealed + sealed_size);
	ck_assert_uint_eq(sealed_size, plain_size + CRYPTO_SEAL_OVERHEAD);

	ck_assert_int_eq(crypto_open(key, aad, aad_size, sealed, sealed_size, out), ERR_OK);
	ck_assert_mem_eq(out, plain, plain_size);
}
END_TEST

#define PLAIN "gateway token of card 9"
#define PLAIN_SIZE (sizeof PLAIN - 1)
#define SEALED_SIZE (PLAIN_SIZE + CRYPTO_SEAL_OVERHEAD)
#define PLACE "payment_method.token.7"
#define PLACE_SIZE (sizeof PLACE - 1)

static void seal(uint8_t key[CRYPTO_KEY_SIZE], uint8_t sealed[SEALED_SIZE])
{
	crypto_random(key, CRYPTO_KEY_SIZE);
	ck_assert_int_eq(crypto_seal(key, PLACE, PLACE_SIZE, PLAIN, PLAIN_SIZE, sealed), ERR_OK);
}

/* Refused with nothing written. */
static void assert_refused(const uint8_t *key, const char *aad, size_t aad_size,
			   const uint8_t *sealed, size_t sealed_size)
{
	uint8_t out[SEALED_SIZE], untouched[SEALED_SIZE];

	memset(out, 0x5a, sizeof out);
	memset(untouched, 0x5a, sizeof untouched);
	ck_assert_int_eq(crypto_open(key, aad, aad_size, sealed, sealed_size, out),
			 ERR_CRYPTO);
	ck_assert_mem_eq(out, untouched, sizeof out);
}

START_TEST(crypto_open_gives_back_what_was_sealed)
{
	uint8_t key[CRYPTO_KEY_SIZE], sealed[SEALED_SIZE], out[SEALED_SIZE];

	seal(key, sealed);

	ck_assert_int_eq(crypto_open(key, PLACE, PLACE_SIZE, sealed, sizeof sealed, out),
			 ERR_OK);
	ck_assert_mem_eq(out, PLAIN, PLAIN_SIZE);
	ck_assert_ptr_null(memmem(sealed, sizeof sealed, "gateway", 7));
}
END_TEST

START_TEST(crypto_seal_never_repeats_itself)
{
	uint8_t key[CRYPTO_KEY_SIZE], one[SEALED_SIZE], other[SEALED_SIZE];

	seal(key, one);
	ck_assert_int_eq(crypto_seal(key, PLACE, PLACE_SIZE, PLAIN, PLAIN_SIZE, other), ERR_OK);

	ck_assert_mem_ne(one, other, 12);
	ck_assert_mem_ne(one + 12, other + 12, PLAIN_SIZE);
}
END_TEST

START_TEST(crypto_open_refuses_every_flipped_bit)
{
	uint8_t key[CRYPTO_KEY_SIZE], sealed[SEALED_SIZE];

	seal(key, sealed);
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_refused(key, PLACE, PLACE_SIZE, sealed, sizeof sealed);
		sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}
END_TEST

START_TEST(crypto_open_refuses_every_other_size)
{
	uint8_t key[CRYPTO_KEY_SIZE], sealed[SEALED_SIZE + 1] = { 0 };

	seal(key, sealed);
	for (size_t size = 0; size < SEALED_SIZE; size++)
		assert_refused(key, PLACE, PLACE_SIZE, sealed, size);
	assert_refused(key, PLACE, PLACE_SIZE, sealed, SEALED_SIZE + 1);
}
END_TEST

START_TEST(crypto_open_refuses_another_key_and_place)
{
	uint8_t key[CRYPTO_KEY_SIZE], sealed[SEALED_SIZE];

	seal(key, sealed);
	assert_refused(key, "payment_method.token.8", PLACE_SIZE, sealed, sizeof sealed);
	assert_refused(key, PLACE, PLACE_SIZE - 1, sealed, sizeof sealed);
	assert_refused(key, NULL, 0, sealed, sizeof sealed);
	for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_refused(key, PLACE, PLACE_SIZE, sealed, sizeof sealed);
		key[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
}
END_TEST

START_TEST(crypto_open_opens_every_size_of_text)
{
	uint8_t key[CRYPTO_KEY_SIZE], plain[100], sealed[100 + CRYPTO_SEAL_OVERHEAD], out[100];

	crypto_random(key, sizeof key);
	crypto_random(plain, sizeof plain);
	ck_assert_int_eq(crypto_seal(key, NULL, 0, NULL, 0, sealed), ERR_OK);
	ck_assert_int_eq(crypto_open(key, NULL, 0, sealed, CRYPTO_SEAL_OVERHEAD, NULL),
			 ERR_OK);
	for (size_t i = 1; i <= sizeof plain; i++) {
		ck_assert_int_eq(crypto_seal(key, PLACE, PLACE_SIZE, plain, i, sealed), ERR_OK);
		ck_assert_int_eq(crypto_open(key, PLACE, PLACE_SIZE, sealed,
					     i + CRYPTO_SEAL_OVERHEAD, out),
				 ERR_OK);
		ck_assert_mem_eq(out, plain, i);
	}
}
END_TEST

/* Of AddressSanitizer, which has an allocator of its own; gcc brings no header of it. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t allocated(void)
{
	return __sanitizer_get_current_allocated_bytes != NULL
		       ? __sanitizer_get_current_allocated_bytes()
		       : mallinfo2().uordblks;
}

static void *ask_once(void *context)
{
	uint8_t bytes[16];

	crypto_random(bytes, sizeof bytes);
	return context;
}

static void ask_in_threads(int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, ask_once, NULL), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
}

/* A thread a connection: what each leaves behind is there for ever. */
START_TEST(crypto_random_leaves_nothing_behind_of_a_thread)
{
	size_t before;

	ask_in_threads(10);
	before = allocated();
	ask_in_threads(1000);

	ck_assert_uint_lt(allocated(), before + 10000);
}
END_TEST

START_TEST(crypto_random_fills_every_byte_and_differs)
{
	uint8_t seen[64] = { 0 }, bytes[64], last[64] = { 0 };

	for (int round = 0; round < 64; round++) {
		crypto_random(bytes, sizeof bytes);
		ck_assert_mem_ne(bytes, last, sizeof bytes);
		memcpy(last, bytes, sizeof bytes);
		for (size_t i = 0; i < sizeof bytes; i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 0; i < sizeof seen; i++)
		ck_assert_uint_ne(seen[i], 0);
	crypto_random(bytes, 0);
	ck_assert_mem_eq(bytes, last, sizeof bytes);
}
END_TEST

START_TEST(crypto_unhex_reads_what_crypto_hex_wrote_in_either_case)
{
	uint8_t bytes[256], back[256];
	char hex[2 * sizeof bytes + 1];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	crypto_hex(bytes, sizeof bytes, hex);
	ck_assert_uint_eq(strlen(hex), 2 * sizeof bytes);
	ck_assert(crypto_unhex(hex, back, sizeof back));
	ck_assert_mem_eq(back, bytes, sizeof bytes);
	ck_assert(crypto_unhex("aBfF09", back, 3));
	ck_assert_mem_eq(back, "\xab\xff\x09", 3);
	ck_assert(crypto_unhex("", back, 0));
}
END_TEST

static const char *const not_hex[] = {
	"", "a", "aabbc", "aabbccd", "aabbccdd", "aabbcg", "aabbc ", " aabbcc", "aabb\n1", "0xaabb",
	"aabb-c", "aabbc\xc3\xa9", "+aabbc", "aabb:c", "aabb@c", "aabb`c", "aabbGc", "aabb/c",
};

START_TEST(crypto_unhex_refuses)
{
	uint8_t bytes[3] = { 1, 2, 3 };

	ck_assert(!crypto_unhex(not_hex[_i], bytes, sizeof bytes));
	ck_assert_mem_eq(bytes, "\1\2\3", 3);
}
END_TEST

struct base64url_case {
	const char *bytes, *text;
};

/* RFC 4648 section 10, without padding. */
static const struct base64url_case base64urls[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "-_-_" },
	{ "\xff\xff", "__8" },
};

START_TEST(crypto_base64url_goes_both_ways)
{
	const struct base64url_case *row = &base64urls[_i];
	size_t size = strlen(row->bytes), length = strlen(row->text), decoded = 999;
	char text[16];
	uint8_t bytes[16];

	ck_assert_uint_eq(crypto_base64url_encode(row->bytes, size, text, length + 1), length);
	ck_assert_str_eq(text, row->text);
	ck_assert(crypto_base64url_decode(text, length, bytes, size, &decoded));
	ck_assert_uint_eq(decoded, size);
	ck_assert_mem_eq(bytes, row->bytes, size);
}
END_TEST

/* clang-format off */
static const char *const not_base64url[] = {
	"A",       "AAAAA",    "AAA=",  "AA==",    "AAAA=",   "=",     " AAAA", "AAAA ",
	"AA AA",   "AAAA\n",   "\nAAAA", "AA\tA", "AA\r\nAA", "AA+A",  "AA/A",  "AA.A",
	"AA,A",    "AA*A",     "AA%A",  "AA[A",    "AA`A",    "AA{A",  "AA@A",  "AA:A",
	"AA^A",    "AA\200A",  "\303\251", "Zh",  "Zv",      "Zm9",   "Zm9vYh", "Zm9vYmF",
	"_-_-_",
};
/* clang-format on */

START_TEST(crypto_base64url_decode_refuses)
{
	size_t size = 999;
	uint8_t bytes[16] = { 7, 7, 7, 7 };

	ck_assert(!crypto_base64url_decode(not_base64url[_i], strlen(not_base64url[_i]), bytes,
					   sizeof bytes, &size));
	ck_assert_mem_eq(bytes, "\7\7\7\7", 4);
	ck_assert_uint_eq(size, 999);
}
END_TEST

START_TEST(crypto_base64url_decode_refuses_a_nul_and_too_little_room)
{
	uint8_t bytes[3];
	size_t size;

	ck_assert(!crypto_base64url_decode("AA\0A", 4, bytes, sizeof bytes, &size));
	ck_assert(!crypto_base64url_decode("AAAAAA", 6, bytes, sizeof bytes, &size));
	ck_assert(crypto_base64url_decode("AAAA", 4, bytes, sizeof bytes, &size));
}
END_TEST

/* Every two-digit text: one spelling per byte, so that a signature has no second form. */
START_TEST(crypto_base64url_has_one_spelling_per_byte)
{
	int accepted = 0;

	for (int first = 0; first < 256; first++) {
		for (int second = 0; second < 256; second++) {
			char text[2] = { (char)first, (char)second }, again[3];
			uint8_t byte;
			size_t size;

			if (!crypto_base64url_decode(text, 2, &byte, 1, &size))
				continue;
			accepted++;
			crypto_base64url_encode(&byte, 1, again, sizeof again);
			ck_assert_mem_eq(again, text, 2);
		}
	}
	ck_assert_int_eq(accepted, 256);
}
END_TEST

START_TEST(crypto_pem_read_tells_kinds_of_keys)
{
	const struct forge *forge = forge_keys();
	struct crypto_pem pem = crypto_pem_read(&forge->verifying.keys[FORGE_RS_1].material);

	ck_assert(pem.kind == CRYPTO_PEM_RSA && !pem.is_private && pem.bits == 2048);
	pem = crypto_pem_read(&forge->issuing.keys[FORGE_RS_1].material);
	ck_assert(pem.kind == CRYPTO_PEM_RSA && pem.is_private && pem.bits == 2048);
	pem = crypto_pem_read(&forge->verifying.keys[FORGE_ES_1].material);
	ck_assert(pem.kind == CRYPTO_PEM_P256 && !pem.is_private && pem.bits == 256);
	pem = crypto_pem_read(&forge->issuing.keys[FORGE_ES_1].material);
	ck_assert(pem.kind == CRYPTO_PEM_P256 && pem.is_private && pem.bits == 256);
	pem = crypto_pem_read(&forge->odd_public[FORGE_RSA_1024]);
	ck_assert(pem.kind == CRYPTO_PEM_RSA && pem.bits == 1024);
	ck_assert_int_eq(crypto_pem_read(&forge->odd_public[FORGE_RSA_PSS]).kind, CRYPTO_PEM_OTHER);
	ck_assert_int_eq(crypto_pem_read(&forge->odd_private[FORGE_P384]).kind, CRYPTO_PEM_OTHER);
	ck_assert_int_eq(crypto_pem_read(&forge->odd_public[FORGE_ED25519]).kind, CRYPTO_PEM_OTHER);
	ck_assert_int_eq(crypto_pem_read(&forge->verifying.keys[FORGE_HS_1].material).kind,
			 CRYPTO_PEM_NONE);
}
END_TEST

START_TEST(crypto_pem_read_refuses_a_damaged_key)
{
	struct secret pem = forge_keys()->verifying.keys[FORGE_ES_1].material;
	size_t size = (size_t)(strstr((char *)pem.bytes, "-----END") - (char *)pem.bytes);

	for (pem.size = 0; pem.size < size; pem.size++)
		ck_assert_int_eq(crypto_pem_read(&pem).kind, CRYPTO_PEM_NONE);
}
END_TEST

static void setup(void)
{
	(void)forge_keys();
}

UNIT_MAIN("crypto", {
	tcase_add_unchecked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, crypto_sha256_gives_the_standard_digests, 0, COUNT(digests));
	tcase_add_test(tests, crypto_sha256_takes_a_million_bytes_and_none);
	tcase_add_loop_test(tests, crypto_hmac_gives_the_codes_of_rfc_4231, 0, COUNT(macs));
	tcase_add_loop_test(tests, crypto_open_opens_the_vectors_of_gcm, 0, COUNT(gcms));
	tcase_add_test(tests, crypto_open_gives_back_what_was_sealed);
	tcase_add_test(tests, crypto_seal_never_repeats_itself);
	tcase_add_test(tests, crypto_open_refuses_every_flipped_bit);
	tcase_add_test(tests, crypto_open_refuses_every_other_size);
	tcase_add_test(tests, crypto_open_refuses_another_key_and_place);
	tcase_add_test(tests, crypto_open_opens_every_size_of_text);
	tcase_add_test(tests, crypto_random_fills_every_byte_and_differs);
	tcase_add_test(tests, crypto_random_leaves_nothing_behind_of_a_thread);
	tcase_add_test(tests, crypto_unhex_reads_what_crypto_hex_wrote_in_either_case);
	tcase_add_loop_test(tests, crypto_unhex_refuses, 0, COUNT(not_hex));
	tcase_add_loop_test(tests, crypto_base64url_goes_both_ways, 0, COUNT(base64urls));
	tcase_add_loop_test(tests, crypto_base64url_decode_refuses, 0, COUNT(not_base64url));
	tcase_add_test(tests, crypto_base64url_decode_refuses_a_nul_and_too_little_room);
	tcase_add_test(tests, crypto_base64url_has_one_spelling_per_byte);
	tcase_add_test(tests, crypto_pem_read_tells_kinds_of_keys);
	tcase_add_test(tests, crypto_pem_read_refuses_a_damaged_key);
})

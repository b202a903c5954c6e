/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/token.h"

#include <string.h>

#include "tests/unit/token_forge.h"
#include "tests/unit/token_text.h"
#include "tests/unit/unit.h"

#define COUNT(ARRAY) ((int)(sizeof(ARRAY) / sizeof *(ARRAY)))

static enum err verify(const struct token_keys *keys, const char *token,
		       struct token_claims *claims, const char **why)
{
	*why = "";
	return token_verify(keys, token, FORGE_NOW, claims, why);
}

struct accepted_case {
	const char *name, *header, *claims;
	enum forge_signer signer;
	unsigned scopes;
};

/* clang-format off */
static const struct accepted_case accepted[] = {
	{ "HS256", HS, GOOD, FORGE_SIGN_HS_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "RS256", RS, GOOD, FORGE_SIGN_RS_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "ES256", ES, GOOD, FORGE_SIGN_ES_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "HS256 by the next key", "{'alg':'HS256','kid':'hs-2'}", GOOD, FORGE_SIGN_HS_2,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "RS256 by the next key", "{'alg':'RS256','kid':'rs-2'}", GOOD, FORGE_SIGN_RS_2,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "ES256 by the next key", "{'alg':'ES256','kid':'es-2'}", GOOD, FORGE_SIGN_ES_2,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "type in lower case", "{'alg':'HS256','typ':'jwt','kid':'hs-1'}", GOOD, FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "blanks in the JSON", " { 'alg' : 'HS256' ,\n 'kid' : 'hs-1' } ", " " GOOD "\n",
	  FORGE_SIGN_HS_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "audience in an array", HS, WITH_AUD("'aud':['other','payops-api'],"), FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "one second before expiry", HS, WITH_EXP("'exp':1800000001,"), FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "the last second there is", HS, WITH_EXP("'exp':9007199254740992,"), FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "times ahead by the skew", HS, WITH("'nbf':1800000060,'iat':1800000060"),
	  FORGE_SIGN_HS_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "claims that are not ours", HS, WITH("'x':{'a':[1,{'b':null}]},'jti':'7'"),
	  FORGE_SIGN_HS_1, SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "a longest merchant", HS, WITH_MER("'merchant':'" A10 A10 A10 "_-',"), FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "a longest subject", HS, WITH_SUB("'sub':'" A120 "12345678',"), FORGE_SIGN_HS_1,
	  SCOPE_PAYMENTS_READ | SCOPE_REFUNDS_WRITE },
	{ "no scope", HS, WITH_SCO(""), FORGE_SIGN_HS_1, 0 },
	{ "an empty scope", HS, WITH_SCO("'scope':'',"), FORGE_SIGN_HS_1, 0 },
	{ "unknown and near scopes", HS,
	  WITH_SCO("'scope':'openid Payments:read payments:writ payments:writes  " A120
		   " credit:write ',"), FORGE_SIGN_HS_1, SCOPE_CREDIT_WRITE },
};
/* clang-format on */

START_TEST(token_verify_accepts)
{
	const struct accepted_case *row = &accepted[_i];
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token(row->header, row->claims, row->signer, token);

	ck_assert_msg(verify(&forge_keys()->verifying, token, &claims, &why) == ERR_OK, "%s: %s",
		      row->name, why);
	ck_assert_uint_eq(claims.scopes, row->scopes);
	ck_assert_int_gt(claims.expires_at_s, FORGE_NOW);
	ck_assert_uint_ge(strlen(claims.merchant), 4);
	ck_assert_uint_ge(strlen(claims.subject), 5);
}
END_TEST

START_TEST(token_verify_gives_the_claims)
{
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token(ES, GOOD, FORGE_SIGN_ES_1, token);

	ck_assert_int_eq(verify(&forge_keys()->verifying, token, &claims, &why), ERR_OK);
	ck_assert_str_eq(claims.merchant, "acme");
	ck_assert_str_eq(claims.subject, "svc-1");
	ck_assert_int_eq(claims.expires_at_s, 1800003600);
}
END_TEST

struct refused_case {
	const char *name, *header, *claims;
	enum forge_signer signer;
	const char *why;
};

/* clang-format off */
#define H(NAME, HEADER, WHY) { NAME, HEADER, GOOD, FORGE_SIGN_HS_1, WHY }
#define S(NAME, HEADER, SIGNER, WHY) { NAME, HEADER, GOOD, SIGNER, WHY }
#define C(NAME, CLAIMS, WHY) { NAME, HS, CLAIMS, FORGE_SIGN_HS_1, WHY }

static const struct refused_case refused[] = {
	/* No algorithm. */
	S("none, unsigned", "{'alg':'none','kid':'hs-1'}", FORGE_SIGN_NOTHING, PARTS),
	H("none", "{'alg':'none','kid':'hs-1'}", ALG),
	H("None", "{'alg':'None','kid':'hs-1'}", ALG),
	H("NONE", "{'alg':'NONE','kid':'hs-1'}", ALG),
	H("nOnE", "{'alg':'nOnE','kid':'hs-1'}", ALG),
	H("none by escapes", "{'alg':'\\u006eone','kid':'hs-1'}", ALG),
	H("none without a key id", "{'alg':'none'}", NOKID),
	S("none, zero signature", "{'alg':'none','kid':'es-1'}", FORGE_SIGN_ZEROES, ALG),
	H("empty algorithm", "{'alg':'','kid':'hs-1'}", ALG),
	H("null algorithm", "{'alg':null,'kid':'hs-1'}", STRING),
	H("no algorithm", "{'kid':'hs-1','typ':'JWT'}", ALG),
	H("algorithm in an array", "{'alg':['HS256'],'kid':'hs-1'}", STRING),
	H("algorithm in an object", "{'alg':{'v':'HS256'},'kid':'hs-1'}", STRING),
	H("algorithm is a number", "{'alg':256,'kid':'hs-1'}", STRING),
	H("algorithm is true", "{'alg':true,'kid':'hs-1'}", STRING),
	/* Another algorithm than the key's. */
	H("hs256", "{'alg':'hs256','kid':'hs-1'}", ALG),
	H("Hs256", "{'alg':'Hs256','kid':'hs-1'}", ALG),
	H("HS256 and a blank", "{'alg':'HS256 ','kid':'hs-1'}", ALG),
	H("HS256 and a NUL", "{'alg':'HS256\\u0000','kid':'hs-1'}", JSON),
	H("ALG in capitals", "{'ALG':'HS256','kid':'hs-1'}", MEMBER),
	S("HS384", "{'alg':'HS384','kid':'hs-1'}", FORGE_SIGN_HS_384, ALG),
	S("HS512", "{'alg':'HS512','kid':'hs-1'}", FORGE_SIGN_HS_512, ALG),
	S("HS256 by name, HS384 by hash", HS, FORGE_SIGN_HS_384, SIGNATURE),
	S("HS256 by name, HS512 by hash", HS, FORGE_SIGN_HS_512, SIGNATURE),
	S("HS256 of 16 bytes", HS, FORGE_SIGN_HS_CUT, SIGNATURE),
	S("public RSA key as HMAC key", "{'alg':'HS256','kid':'rs-1'}", FORGE_SIGN_HS_RS_PUBLIC,
	  ALG),
	S("the same, named RS256", RS, FORGE_SIGN_HS_RS_PUBLIC, SIGNATURE),
	S("the same, for the HMAC key", HS, FORGE_SIGN_HS_RS_PUBLIC, SIGNATURE),
	S("public P-256 key as HMAC key", "{'alg':'HS256','kid':'es-1'}", FORGE_SIGN_HS_ES_PUBLIC,
	  ALG),
	S("the same, named ES256", ES, FORGE_SIGN_HS_ES_PUBLIC, SIGNATURE),
	S("RS256 for an HMAC key", "{'alg':'RS256','kid':'hs-1'}", FORGE_SIGN_RS_1, ALG),
	S("ES256 for an RSA key", "{'alg':'ES256','kid':'rs-1'}", FORGE_SIGN_ES_1, ALG),
	S("RS256 for a P-256 key", "{'alg':'RS256','kid':'es-1'}", FORGE_SIGN_RS_1, ALG),
	S("RS384", "{'alg':'RS384','kid':'rs-1'}", FORGE_SIGN_RS_1, ALG),
	S("RS512", "{'alg':'RS512','kid':'rs-1'}", FORGE_SIGN_RS_512, ALG),
	S("RS256 by name, RS512 by hash", RS, FORGE_SIGN_RS_512, SIGNATURE),
	S("PS256", "{'alg':'PS256','kid':'rs-1'}", FORGE_SIGN_RS_PSS, ALG),
	S("RS256 by name, PS256 by padding", RS, FORGE_SIGN_RS_PSS, SIGNATURE),
	S("ES384", "{'alg':'ES384','kid':'es-1'}", FORGE_SIGN_P384, ALG),
	S("ES256K", "{'alg':'ES256K','kid':'es-1'}", FORGE_SIGN_ES_1, ALG),
	S("EdDSA", "{'alg':'EdDSA','kid':'es-1'}", FORGE_SIGN_ED25519, ALG),
	S("ES256 by name, Ed25519 by signature", ES, FORGE_SIGN_ED25519, SIGNATURE),
	S("ES256 by name, P-384 by signature", ES, FORGE_SIGN_P384, SIGNATURE),
	S("ES256 in DER", ES, FORGE_SIGN_ES_DER, SIGNATURE),
	S("ES256 of zeroes", ES, FORGE_SIGN_ZEROES, SIGNATURE),
	/* Another key. */
	S("HMAC by the other key", HS, FORGE_SIGN_HS_2, SIGNATURE),
	S("RSA by the other key", RS, FORGE_SIGN_RS_2, SIGNATURE),
	S("P-256 by the other key", ES, FORGE_SIGN_ES_2, SIGNATURE),
	S("HMAC by an empty key", HS, FORGE_SIGN_HS_EMPTY_KEY, SIGNATURE),
	S("HMAC by the key's name", HS, FORGE_SIGN_HS_KID, SIGNATURE),
	/* The key's name. */
	H("no kid", "{'alg':'HS256'}", NOKID),
	H("empty kid", "{'alg':'HS256','kid':''}", NOKID),
	H("unknown kid", "{'alg':'HS256','kid':'hs-3'}", KID),
	H("kid in capitals", "{'alg':'HS256','kid':'HS-1'}", KID),
	H("kid that begins as ours", "{'alg':'HS256','kid':'hs-1x'}", KID),
	H("kid that ours begins with", "{'alg':'HS256','kid':'hs-'}", KID),
	H("kid with blanks", "{'alg':'HS256','kid':' hs-1 '}", KID),
	H("kid is a path", "{'alg':'HS256','kid':'../../../../dev/null'}", KID),
	H("kid is a device", "{'alg':'HS256','kid':'/dev/null'}", KID),
	H("kid is SQL", "{'alg':'HS256','kid':'x\\u0027 UNION SELECT \\u0027key'}", KID),
	H("kid is a command", "{'alg':'HS256','kid':'hs-1|id'}", KID),
	H("kid is an address", "{'alg':'HS256','kid':'https://keys.test/hs-1'}", KID),
	H("kid is a wild card", "{'alg':'HS256','kid':'*'}", KID),
	H("kid is a format", "{'alg':'HS256','kid':'%s%n'}", KID),
	H("kid with a NUL", "{'alg':'HS256','kid':'hs-1\\u0000'}", JSON),
	H("kid with a raw NUL", "{'alg':'HS256','kid':'hs-1\x1a'}", JSON),
	H("kid is null", "{'alg':'HS256','kid':null}", STRING),
	H("kid is a number", "{'alg':'HS256','kid':0}", STRING),
	H("kid in an array", "{'alg':'HS256','kid':['hs-1']}", STRING),
	H("kid in an object", "{'alg':'HS256','kid':{'a':'hs-1'}}", STRING),
	H("very long kid", "{'alg':'HS256','kid':'" A120 A120 A120 A120 A120 "'}", KID),
	/* Other members of the header. */
	H("crit", "{'alg':'HS256','kid':'hs-1','crit':['exp']}", MEMBER),
	H("empty crit", "{'alg':'HS256','kid':'hs-1','crit':[]}", MEMBER),
	H("crit of an unknown word", "{'alg':'HS256','kid':'hs-1','crit':['x'],'x':1}", MEMBER),
	H("b64 false", "{'alg':'HS256','kid':'hs-1','b64':false}", MEMBER),
	H("b64 false with crit", "{'alg':'HS256','kid':'hs-1','crit':['b64'],'b64':false}", MEMBER),
	H("jku", "{'alg':'HS256','kid':'hs-1','jku':'https://keys.test/set'}", MEMBER),
	H("x5u", "{'alg':'HS256','kid':'hs-1','x5u':'https://keys.test/c'}", MEMBER),
	S("jwk", "{'alg':'RS256','kid':'rs-1','jwk':{'kty':'oct','k':'AAAA'}}", FORGE_SIGN_RS_1,
	  MEMBER),
	S("x5c", "{'alg':'RS256','kid':'rs-1','x5c':['MIIB']}", FORGE_SIGN_RS_1, MEMBER),
	H("x5t", "{'alg':'HS256','kid':'hs-1','x5t':'AAAA'}", MEMBER),
	H("zip", "{'alg':'HS256','kid':'hs-1','zip':'DEF'}", MEMBER),
	H("enc", "{'alg':'HS256','kid':'hs-1','enc':'A256GCM'}", MEMBER),
	H("cty", "{'alg':'HS256','kid':'hs-1','cty':'JWT'}", MEMBER),
	H("exp in the header", "{'alg':'HS256','kid':'hs-1','exp':1800003600}", MEMBER),
	H("type JWE", "{'alg':'HS256','kid':'hs-1','typ':'JWE'}", TYPE),
	H("type of another token", "{'alg':'HS256','kid':'hs-1','typ':'secevent+jwt'}", TYPE),
	H("empty type", "{'alg':'HS256','kid':'hs-1','typ':''}", TYPE),
	H("null type", "{'alg':'HS256','kid':'hs-1','typ':null}", STRING),
	H("algorithm twice", "{'alg':'none','alg':'HS256','kid':'hs-1'}", JSON),
	H("algorithm twice by escapes", "{'alg':'HS256','\\u0061lg':'HS256','kid':'hs-1'}", JSON),
	H("kid twice", "{'alg':'HS256','kid':'hs-2','kid':'hs-1'}", JSON),
	H("header is an array", "['HS256','hs-1']", JSON),
	H("header is a string", "'HS256'", JSON),
	H("header is no JSON", "alg=HS256", JSON),
	H("empty header", "{}", NOKID),
	H("two headers", "{'alg':'HS256','kid':'hs-1'}{}", JSON),
	H("comma at the end", "{'alg':'HS256','kid':'hs-1',}", JSON),
	H("comment in the header", "{'alg':'HS256','kid':'hs-1'/**/}", JSON),
	H("byte order mark", "\xef\xbb\xbf{'alg':'HS256','kid':'hs-1'}", JSON),
	H("invalid UTF-8 in the header", "{'alg':'HS256','kid':'hs-1\xff'}", JSON),
	H("overlong UTF-8 in the header", "{'alg':'HS256','kid':'hs\xc0\xad" "1'}", JSON),
	H("deep header", "{'alg':'HS256','kid':'hs-1','x':" OPEN100, JSON),
	/* Times. */
	C("no expiry", WITH_EXP(""), NOEXP),
	C("expiry in the past", WITH_EXP("'exp':1799999999,"), PAST),
	C("expiry now", WITH_EXP("'exp':1800000000,"), PAST),
	C("expiry zero", WITH_EXP("'exp':0,"), PAST),
	C("expiry negative", WITH_EXP("'exp':-1,"), NOEXP),
	C("expiry most negative", WITH_EXP("'exp':-9223372036854775808,"), NOEXP),
	C("expiry with a point", WITH_EXP("'exp':1800003600.0,"), PLAIN),
	C("expiry with an exponent", WITH_EXP("'exp':18e8,"), PLAIN),
	C("expiry 1e99", WITH_EXP("'exp':1e99,"), PLAIN),
	C("expiry 1e999", WITH_EXP("'exp':1e999,"), JSON),
	C("expiry in a string", WITH_EXP("'exp':'1800003600',"), NOEXP),
	C("expiry true", WITH_EXP("'exp':true,"), NOEXP),
	C("expiry null", WITH_EXP("'exp':null,"), NOEXP),
	C("expiry in an array", WITH_EXP("'exp':[1800003600],"), NOEXP),
	C("expiry in an object", WITH_EXP("'exp':{'v':1800003600},"), NOEXP),
	C("expiry past 2^53", WITH_EXP("'exp':9007199254740993,"), NOEXP),
	C("expiry 2^63 - 1", WITH_EXP("'exp':9223372036854775807,"), NOEXP),
	C("expiry 2^63", WITH_EXP("'exp':9223372036854775808,"), JSON),
	C("expiry 2^64 and an hour", WITH_EXP("'exp':18446744075509555216,"), JSON),
	C("expiry with a leading zero", WITH_EXP("'exp':01800003600,"), JSON),
	C("expiry hexadecimal", WITH_EXP("'exp':0x7fffffff,"), JSON),
	C("expiry infinite", WITH_EXP("'exp':Infinity,"), JSON),
	C("expiry in another case", WITH_EXP("'Exp':1800003600,"), NOEXP),
	C("expiry twice", WITH("'exp':1900000000"), JSON),
	C("not yet valid", WITH("'nbf':1800000061"), NBF),
	C("nbf with a point", WITH("'nbf':1.5"), PLAIN),
	C("nbf in a string", WITH("'nbf':'1'"), NBF),
	C("nbf negative", WITH("'nbf':-1"), NBF),
	C("nbf null", WITH("'nbf':null"), NBF),
	C("nbf 2^63 - 1", WITH("'nbf':9223372036854775807"), NBF),
	C("issued in the future", WITH("'iat':1800000061"), IAT),
	C("iat with an exponent", WITH("'iat':1e3"), PLAIN),
	C("iat false", WITH("'iat':false"), IAT),
	C("iat most negative", WITH("'iat':-9223372036854775808"), IAT),
	C("a float in a claim not ours", WITH("'level':0.1"), PLAIN),
	/* Issuer and audience. */
	C("no issuer", WITH_ISS(""), ISSUER),
	C("another issuer", WITH_ISS("'iss':'https://evil.test',"), ISSUER),
	C("issuer that begins as ours", WITH_ISS("'iss':'https://issuer.test.evil.test',"), ISSUER),
	C("issuer that ours begins with", WITH_ISS("'iss':'https://issuer.tes',"), ISSUER),
	C("issuer with a slash", WITH_ISS("'iss':'https://issuer.test/',"), ISSUER),
	C("issuer in another case", WITH_ISS("'iss':'https://ISSUER.test',"), ISSUER),
	C("issuer in an array", WITH_ISS("'iss':['https://issuer.test'],"), ISSUER),
	C("issuer with a NUL", WITH_ISS("'iss':'https://issuer.test\\u0000.evil',"), JSON),
	C("empty issuer", WITH_ISS("'iss':'',"), ISSUER),
	C("issuer null", WITH_ISS("'iss':null,"), ISSUER),
	C("issuer twice", WITH("'iss':'https://evil.test'"), JSON),
	C("no audience", WITH_AUD(""), AUDIENCE),
	C("another audience", WITH_AUD("'aud':'other-api',"), AUDIENCE),
	C("audience that begins as ours", WITH_AUD("'aud':'payops-api-2',"), AUDIENCE),
	C("audience that ours begins with", WITH_AUD("'aud':'payops',"), AUDIENCE),
	C("audience in another case", WITH_AUD("'aud':'PAYOPS-API',"), AUDIENCE),
	C("empty audience", WITH_AUD("'aud':'',"), AUDIENCE),
	C("no audience in the array", WITH_AUD("'aud':[],"), AUDIENCE),
	C("others in the array", WITH_AUD("'aud':['other-api','payops'],"), AUDIENCE),
	C("a number in the array", WITH_AUD("'aud':['payops-api',1],"), AUDIENCE),
	C("array in the array", WITH_AUD("'aud':[['payops-api']],"), AUDIENCE),
	C("audience in an object", WITH_AUD("'aud':{'payops-api':true},"), AUDIENCE),
	C("list of audiences in a string", WITH_AUD("'aud':'payops-api other-api',"), AUDIENCE),
	C("audience twice", WITH("'aud':'other-api'"), JSON),
	/* Merchant, subject, scope. */
	C("no merchant", WITH_MER(""), MERCHANT),
	C("empty merchant", WITH_MER("'merchant':'',"), MERCHANT),
	C("merchant in capitals", WITH_MER("'merchant':'ACME',"), MERCHANT),
	C("merchant with a blank", WITH_MER("'merchant':'ac me',"), MERCHANT),
	C("merchant with a quote", WITH_MER("'merchant':'a\\u0027 OR 1=1',"), MERCHANT),
	C("merchant with a newline", WITH_MER("'merchant':'acme\\n',"), MERCHANT),
	C("merchant is a path", WITH_MER("'merchant':'../acme',"), MERCHANT),
	C("merchant of 33 characters", WITH_MER("'merchant':'" A10 A10 A10 "aaa',"), MERCHANT),
	C("merchant in an array", WITH_MER("'merchant':['acme'],"), MERCHANT),
	C("merchant is a number", WITH_MER("'merchant':7,"), MERCHANT),
	C("merchant null", WITH_MER("'merchant':null,"), MERCHANT),
	C("merchant twice", WITH("'merchant':'other'"), JSON),
	C("merchant of other letters", WITH_MER("'merchant':'\xd0\xb0" "cme',"), MERCHANT),
	C("no subject", WITH_SUB(""), SUBJECT),
	C("empty subject", WITH_SUB("'sub':'',"), SUBJECT),
	C("subject with a blank", WITH_SUB("'sub':'svc 1',"), SUBJECT),
	C("subject with a newline", WITH_SUB("'sub':'svc\\n1',"), SUBJECT),
	C("subject of 129 characters", WITH_SUB("'sub':'" A120 "123456789',"), SUBJECT),
	C("subject is a number", WITH_SUB("'sub':1,"), SUBJECT),
	C("subject with an escape sequence", WITH_SUB("'sub':'\\u001b[2J',"), SUBJECT),
	C("scope in an array", WITH_SCO("'scope':['payments:read'],"), SCOPE),
	C("scope is a number", WITH_SCO("'scope':511,"), SCOPE),
	C("scope null", WITH_SCO("'scope':null,"), SCOPE),
	C("scope in an object", WITH_SCO("'scope':{'payments:read':true},"), SCOPE),
	C("scope twice", WITH("'scope':'payouts:write'"), JSON),
	/* Claims that are not strict JSON. */
	C("claims are an array", "[" GOOD "]", JSON),
	C("claims are a string", "'" "claims" "'", JSON),
	C("claims are a number", "1", JSON),
	C("claims are null", "null", JSON),
	C("claims are no JSON", "iss=payops", JSON),
	C("claims end early", "{" ISS, JSON),
	C("something behind the claims", GOOD "x", JSON),
	C("NUL behind the claims", GOOD "\x1a", JSON),
	C("claims in front of claims", GOOD GOOD, JSON),
	C("no claims", "{}", NOEXP),
	C("deep claims", WITH("'x':" OPEN10), JSON),
	C("very deep claims", WITH("'x':" OPEN100 OPEN100 OPEN100 OPEN100 OPEN100 OPEN100), JSON),
	C("invalid UTF-8 in claims", WITH("'x':'\xf5\x80\x80\x80'"), JSON),
	C("surrogate in claims", WITH("'x':'\\ud800'"), JSON),
	C("raw newline in a string", WITH("'x':'\n'"), JSON),
};
/* clang-format on */

START_TEST(token_verify_refuses)
{
	const struct refused_case *row = &refused[_i];
	const struct token_claims untouched = { .merchant = "untouched", .expires_at_s = 7 };
	struct token_claims claims = untouched;
	char token[FORGE_TEXT_SIZE];
	const char *why;

	forge_token(row->header, row->claims, row->signer, token);

	ck_assert_msg(verify(&forge_keys()->verifying, token, &claims, &why) ==
			      ERR_UNAUTHENTICATED,
		      "%s: accepted", row->name);
	ck_assert_msg(strcmp(why, row->why) == 0, "%s: %s", row->name, why);
	ck_assert_mem_eq(&claims, &untouched, sizeof claims);
}
END_TEST

/* libjwt alone would accept any signature here. */
START_TEST(token_verify_refuses_where_the_key_was_never_loaded)
{
	struct token_keys keys = forge_keys()->verifying;
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	keys.keys[FORGE_HS_1].material.size = 0;
	forge_token(HS, GOOD, FORGE_SIGN_HS_EMPTY_KEY, token);

	ck_assert_int_eq(verify(&keys, token, &claims, &why), ERR_UNAUTHENTICATED);
	ck_assert_str_eq(why, KID);
}
END_TEST

START_TEST(token_verify_refuses_where_no_key_is_known)
{
	static const struct token_keys keys = { .issuer = "https://issuer.test",
						.audience = "payops-api" };
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token(HS, GOOD, FORGE_SIGN_HS_1, token);

	ck_assert_int_eq(verify(&keys, token, &claims, &why), ERR_UNAUTHENTICATED);
}
END_TEST

/* Rotation: the old key's tokens end when the key leaves the set, not before. */
START_TEST(token_verify_refuses_a_key_that_has_left_the_set)
{
	struct token_keys keys = forge_keys()->verifying;
	char token[FORGE_TEXT_SIZE];
	struct token_claims claims;
	const char *why;

	forge_token("{'alg':'ES256','kid':'es-2'}", GOOD, FORGE_SIGN_ES_2, token);
	ck_assert_int_eq(verify(&keys, token, &claims, &why), ERR_OK);
	keys.count = FORGE_ES_2;

	ck_assert_int_eq(verify(&keys, token, &claims, &why), ERR_UNAUTHENTICATED);
	ck_assert_str_eq(why, KID);
}
END_TEST

static void setup(void)
{
	(void)forge_keys();
	ck_assert_int_ge(COUNT(refused), 150);
}

UNIT_MAIN("token_verify", {
	tcase_add_unchecked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, token_verify_accepts, 0, COUNT(accepted));
	tcase_add_test(tests, token_verify_gives_the_claims);
	tcase_add_loop_test(tests, token_verify_refuses, 0, COUNT(refused));
	tcase_add_test(tests, token_verify_refuses_where_the_key_was_never_loaded);
	tcase_add_test(tests, token_verify_refuses_where_no_key_is_known);
	tcase_add_test(tests, token_verify_refuses_a_key_that_has_left_the_set);
})

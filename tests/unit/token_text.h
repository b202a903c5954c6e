/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts of good headers and claims, and of what token_verify() says of bad ones.
 * In all texts ' stands for ", see forge_encode().
 */
#ifndef TESTS_TOKEN_TEXT_H
#define TESTS_TOKEN_TEXT_H

#define HS "{'alg':'HS256','typ':'JWT','kid':'hs-1'}"
#define RS "{'alg':'RS256','typ':'JWT','kid':'rs-1'}"
#define ES "{'alg':'ES256','typ':'JWT','kid':'es-1'}"
#define ISS "'iss':'https://issuer.test'"
#define AUD "'aud':'payops-api'"
#define MER "'merchant':'acme'"
#define SUB "'sub':'svc-1'"
#define SCO "'scope':'payments:read refunds:write'"
#define EXP "'exp':1800003600"
#define GOOD "{" ISS "," AUD "," MER "," SUB "," SCO "," EXP "}"
#define WITH(MEMBER) "{" ISS "," AUD "," MER "," SUB "," SCO "," EXP "," MEMBER "}"
#define WITH_ISS(MEMBER) "{" MEMBER AUD "," MER "," SUB "," SCO "," EXP "}"
#define WITH_AUD(MEMBER) "{" ISS "," MEMBER MER "," SUB "," SCO "," EXP "}"
#define WITH_MER(MEMBER) "{" ISS "," AUD "," MEMBER SUB "," SCO "," EXP "}"
#define WITH_SUB(MEMBER) "{" ISS "," AUD "," MER "," MEMBER SCO "," EXP "}"
#define WITH_SCO(MEMBER) "{" ISS "," AUD "," MER "," SUB "," MEMBER EXP "}"
#define WITH_EXP(MEMBER) "{" ISS "," AUD "," MER "," SUB "," MEMBER SCO "}"
#define A10 "aaaaaaaaaa"
#define A120 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define OPEN10 "[[[[[[[[[["
#define OPEN100 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10 OPEN10

#define LONG "the token is too long"
#define PARTS "the token does not have three parts"
#define BASE64 "the token is not base64url"
#define JSON "the token is not strict JSON"
#define MEMBER "the token's header has a member that is not allowed"
#define STRING "the token's header has a member that is not a string"
#define TYPE "the token is not of type JWT"
#define NOKID "the token names no key"
#define KID "the token's key is unknown"
#define ALG "the token's algorithm is not its key's"
#define SIGNATURE "the token's signature is invalid"
#define PLAIN "the token has a number that is not a plain integer"
#define NOEXP "the token has no valid expiry"
#define PAST "the token has expired"
#define NBF "the token is not valid yet"
#define IAT "the token was issued in the future"
#define ISSUER "the token is of another issuer"
#define AUDIENCE "the token is for another audience"
#define MERCHANT "the token names no valid merchant"
#define SUBJECT "the token names no valid subject"
#define SCOPE "the token's scope is not a string"

#endif

dnl SPDX-FileCopyrightText: payops contributors
dnl SPDX-License-Identifier: GPL-3.0-or-later

dnl PAYOPS_WARNINGS: the warnings every file is built with; -Werror on request.
AC_DEFUN([PAYOPS_WARNINGS], [
	WARNING_FLAGS="-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
	WARNING_FLAGS="$WARNING_FLAGS -Wformat=2 -Wvla -Wswitch-enum -Wconversion -Wundef"
	WARNING_FLAGS="$WARNING_FLAGS -Wpointer-arith -Wwrite-strings -Wold-style-definition"
	AS_IF([test "x$enable_werror" = xyes], [WARNING_FLAGS="$WARNING_FLAGS -Werror"])
	HARDEN_FLAGS="-fstack-protector-strong -fstack-clash-protection -fPIE"
	AC_SUBST([WARNING_FLAGS])
	AC_SUBST([HARDEN_FLAGS])
])

dnl AX_PAYOPS_PTHREAD: threads are part of libc here; older systems need a library.
AC_DEFUN([AX_PAYOPS_PTHREAD], [
	AC_SEARCH_LIBS([pthread_create], [pthread], [],
		[AC_MSG_ERROR([POSIX threads are needed])])
])

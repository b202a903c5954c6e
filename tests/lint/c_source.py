# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a source file as the lint rules need it: for C, its tokens, includes and top-level declarations.

No preprocessor and no types: enough for code in the house style, fast enough for the whole tree.
"""
import re
from collections import namedtuple

TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<include>^[ \t]*\#[ \t]*include[ \t]*(?:<[^>\n]*>|"[^"\n]*"))
  | (?P<directive>^[ \t]*\#[ \t]*\w+)
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])*')
  | (?P<word>[A-Za-z_]\w*)
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<newline>\n)
  | (?P<splice>\\\n)
  | (?P<punct>->|\.\.\.|[^\s\w])
""", re.S | re.M | re.X)

Token = namedtuple("Token", "kind text line")
Function = namedtuple("Function", "name line first last static parameters body")  # first, last: lines; body: tokens
Prototype = namedtuple("Prototype", "name line parameters")
Variable = namedtuple("Variable", "name first last const")


class Source:
    """One file; for C also its tokens, includes and top-level declarations."""

    def __init__(self, path, content):
        self.path = path
        self.script = content.startswith(b"#!")
        self.text = content.decode("utf-8", "replace")
        self.lines = self.text.split("\n")
        if self.lines[-1] == "":
            self.lines.pop()
        self.is_c = path.endswith((".c", ".h"))
        self.comments, self.includes, self.directives = [], [], []
        self.tokens = []     # everything but comments, also inside #define
        self.code = []       # outside directives; where the branches of an #if do not balance, the first only
        self.code_ends = {}  # line: offset in the text just past its last character that is not comment
        self.functions, self.prototypes, self.variables = [], [], []
        if self.is_c or path.endswith(".def"):
            self._tokenise()
        if self.is_c:
            Declarations(self).read()

    def _tokenise(self):
        line, in_directive, branches = 1, False, Branches(self.code)
        for match in TOKEN.finditer(self.text):
            kind, text = match.lastgroup, match.group()
            if kind == "newline":
                line, in_directive = line + 1, False
                continue
            token = Token(kind, text, line)
            if kind == "comment":
                self.comments.append(token)
                line += text.count("\n")
                continue
            line += text.count("\n")
            self.code_ends[line if kind != "splice" else line - 1] = match.end()
            if kind == "include":
                self.includes.append(Token("include", re.search(r'[<"].*', text).group(), token.line))
                in_directive = True
            elif kind == "directive":
                name = text.lstrip(" \t#")
                self.directives.append((name, self.text[match.end():].split("\n", 1)[0].split(), token.line))
                branches.directive(name)
                in_directive = True
            elif kind != "splice":
                self.tokens.append(token)
                if not in_directive:
                    branches.add(token)


class Branches:
    """Keep the code of all branches of an #if, but only the first where they leave a bracket open."""

    def __init__(self, code):
        self.code = code
        self.depth = 0
        self.open = []  # [depth at #if, whether the branch is dropped]

    def directive(self, name):
        if name in ("if", "ifdef", "ifndef"):
            self.open.append([self.depth, False])
        elif name in ("else", "elif") and self.open:
            self.open[-1][1] = self.open[-1][1] or self.depth != self.open[-1][0]
        elif name == "endif" and self.open:
            self.open.pop()

    def add(self, token):
        if any(dropped for _, dropped in self.open):
            return
        if token.kind == "punct":
            if token.text in "({[":
                self.depth += 1
            elif token.text in ")}]":
                self.depth -= 1
        self.code.append(token)


def closing(tokens, start):
    """Index of the bracket that closes tokens[start]; the last index where there is none."""
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index].kind == "punct":
            if tokens[index].text in "({[":
                depth += 1
            elif tokens[index].text in ")}]":
                depth -= 1
                if depth == 0:
                    return index
    return len(tokens) - 1


class Declarations:
    """Split the code of a file into functions, prototypes and variables."""

    def __init__(self, source):
        self.source = source
        self.code = source.code

    def read(self):
        index, head = 0, []
        while index < len(self.code):
            token = self.code[index]
            if token.text == ";":
                self._declaration(head, token.line)
                head = []
            elif token.text == "{":
                end = closing(self.code, index)
                if self._is_function(head):
                    self._function(head, index, end)
                    head = []
                else:
                    head.append(Token("braces", "{}", token.line))
                index = end
            elif token.text in ("(", "["):
                end = closing(self.code, index)
                head.append(Token("group", self.code[index:end + 1], token.line))
                index = end
            else:
                head.append(token)
            index += 1

    @staticmethod
    def _without_attributes(head):
        kept = []
        for token in head:
            if token.kind == "group" and kept and kept[-1].text in ("__attribute__", "_Alignas", "alignas"):
                kept.pop()
            else:
                kept.append(token)
        return kept

    def _is_function(self, head):
        head = self._without_attributes(head)
        return (len(head) >= 2 and head[-1].kind == "group" and head[-1].text[0].text == "("
                and head[-2].kind == "word" and not any(token.text == "=" for token in head))

    @staticmethod
    def _parameters(group):
        inside = group[1:-1]
        if not inside or [token.text for token in inside] == ["void"]:
            return 0
        count, depth = 1, 0
        for token in inside:
            depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
            count += token.text == "," and depth == 0
        return count - (inside[-1].text == "...")

    def _function(self, head, start, end):
        first = head[0].line
        head = self._without_attributes(head)
        name, group = head[-2], head[-1].text
        if name.text.isupper() and len(group) > 2:  # START_TEST(name)
            name = group[1]
        static = any(token.text == "static" for token in head)
        self.source.functions.append(Function(name.text, name.line, first, self.code[end].line, static,
                                              self._parameters(group), self.code[start:end + 1]))

    def _declaration(self, head, last):
        plain = self._without_attributes(head)
        texts = [token.text for token in plain if token.kind != "group"]
        if not plain or texts[:1] in (["typedef"], ["_Static_assert"], ["static_assert"]):
            return
        if "=" in texts:
            plain = plain[:next(i for i, token in enumerate(plain) if token.text == "=")]
        pointer = next((token.text for token in plain if token.kind == "group"
                        and [part.text for part in token.text[:2]] == ["(", "*"]), None)
        if pointer is not None:  # a pointer to a function or an array
            words = [part.text for part in pointer if part.kind == "word"]
            self.source.variables.append(Variable(words[-1] if words else "?", head[0].line, last, "const" in words))
            return
        for index, token in enumerate(plain):
            if token.kind == "group" and token.text[0].text == "(" and index > 0 and plain[index - 1].kind == "word":
                name = plain[index - 1]
                self.source.prototypes.append(Prototype(name.text, name.line, self._parameters(token.text)))
                return
        self._variable(plain, head[0].line, last)

    def _variable(self, plain, first, last):
        texts = [token.text for token in plain if token.kind != "group"]
        words = [text for text in texts if text not in ("static", "extern", "const", "volatile", "inline")]
        is_type = words[-1:] == ["{}"] or (len(words) == 2 and words[0] in ("struct", "union", "enum"))
        if is_type or len(words) < 2:
            return
        after_star = len(texts) - texts[::-1].index("*") if "*" in texts else 0
        self.source.variables.append(Variable(words[-1], first, last, "const" in texts[after_star:]))


class Nesting:
    """How deep control statements stand inside each other: an `else if` is as deep as its `if`; a case adds nothing."""

    def __init__(self, body):
        self.body = body
        self.deepest = (0, 0)  # depth, line

    def measure(self):
        self._block(0, 0)
        return self.deepest

    def _text(self, index):
        return self.body[index].text if index < len(self.body) else ""

    def _deeper(self, index, depth):
        if depth > self.deepest[0]:
            self.deepest = (depth, self.body[index].line)

    def _block(self, index, depth):
        end = closing(self.body, index)
        index += 1
        while index < end:
            index = max(index + 1, self._statement(index, depth))
        return end + 1

    def _body_of(self, index, depth):
        if index >= len(self.body):
            return index
        return self._block(index, depth) if self._text(index) == "{" else self._statement(index, depth)

    def _statement(self, index, depth):
        text = self._text(index)
        if text == "{":
            self._deeper(index, depth + 1)
            return self._block(index, depth + 1)
        if text in ("if", "for", "while", "switch"):
            return self._control(index, depth)
        if text == "do":
            self._deeper(index, depth + 1)
            return self._simple(self._body_of(index + 1, depth + 1))
        if text in ("case", "default"):
            while index < len(self.body) and self._text(index) != ":":
                index += 1
            return index + 1
        if self.body[index].kind == "word" and self._text(index + 1) == ":":  # a label
            return index + 2
        if self._is_loop_macro(index):
            self._deeper(index, depth + 1)
            return self._body_of(closing(self.body, index + 1) + 1, depth + 1)
        return self._simple(index)

    def _control(self, index, depth):
        self._deeper(index, depth + 1)
        after = self._body_of(closing(self.body, index + 1) + 1, depth + 1)
        if self._text(index) == "if" and self._text(after) == "else":
            if self._text(after + 1) == "if":
                return self._control(after + 1, depth)
            return self._body_of(after + 1, depth + 1)
        return after

    def _is_loop_macro(self, index):
        if self.body[index].kind != "word" or self._text(index + 1) != "(":
            return False
        return self._text(closing(self.body, index + 1) + 1) == "{" or "foreach" in self._text(index)

    def _simple(self, index):
        while index < len(self.body) and self._text(index) != ";":
            if self._text(index) in ("(", "[", "{"):
                index = closing(self.body, index)
            elif self._text(index) == "}":
                return index
            index += 1
        return index + 1

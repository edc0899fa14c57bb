"""Mutants of a C file: one small change each, of a kind that a person makes by mistake.

Conditions are flipped, operators and constants shifted, statements deleted; in strings that are SQL,
its comparisons, connectives, signs and words. Comments, includes and assertions of the compiler stay.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?\*/|//[^\n]*|\\\n)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\])+')
    |(?P<word>[A-Za-z_]\w*)|(?P<number>\d\w*)
    |(?P<sign>->|\+\+|--|<<=|>>=|\.\.\.|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""",
    re.S | re.X,
)
SWAPS = {
    "<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="], "==": ["!="], "!=": ["=="],
    "&&": ["||"], "||": ["&&"], "<<": [">>"], ">>": ["<<"], "|=": ["="], "+=": ["-="], "-=": ["+="],
    "true": ["false"], "false": ["true"],
}
BINARY = {"+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"], "|": ["&"], "&": ["|"]}
SQL = re.compile(
    r"(?P<op><=|>=|<>|=|<|>)|(?P<sign> [-+] )|(?P<number>\b\d+\b)|(?P<word>\bNOT |\bAND\b|\bOR\b|\btrue\b|\bfalse\b"
    r"|\bSKIP LOCKED\b|\bFOR NO KEY UPDATE\b|\bLIMIT |\bORDER BY [\w.]+ |\bUNION\b)"
)
SQL_SWAPS = {
    "<=": ["<", ">"], ">=": [">", "<"], "=": ["<>"], "<>": ["="], "<": ["<=", ">"], ">": [">=", "<"],
    " + ": [" - "], " - ": [" + "], "NOT ": [""], "AND": ["OR"], "OR": ["AND"], "true": ["false"],
    "false": ["true"], "SKIP LOCKED": [""], "FOR NO KEY UPDATE": [""], "UNION": ["EXCEPT"], "LIMIT ": ["OFFSET "],
}
TYPES = {"const", "static", "struct", "enum", "bool", "char", "int", "unsigned", "size_t", "int64_t", "uint64_t",
         "uint32_t", "double", "void", "typedef", "static_assert", "extern", "counts_fn", "beats_fn"}
NO_STATEMENT = TYPES | {"if", "for", "while", "do", "else", "switch", "case", "default", "return", "goto"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self):
        return self.start + len(self.text)


@dataclass(frozen=True)
class Mutant:
    name: str  # function, and the line as it reads now: what known.txt calls it
    text: str  # of the whole file


def tokens_of(source):
    """Without space, comments, and directives other than #define."""
    found = [Token(m.lastgroup, m[0], m.start()) for m in TOKEN.finditer(source)]
    kept, skip_to, i = [], -1, 0
    for i, token in enumerate(found):
        if token.start < skip_to or token.kind == "space":
            continue
        at_line_start = not source[source.rfind("\n", 0, token.start) + 1:token.start].strip()
        if token.text == "#" and at_line_start:
            line = re.compile(r"(?:\\\n|[^\n])*").match(source, token.start)
            define = re.match(r"#\s*define\s+\w+", line[0])
            skip_to = token.start + len(define[0]) if define else line.end()
            continue
        kept.append(token)
    return kept


def match_of(tokens, i):
    """The index of the parenthesis that closes the one at i."""
    depth = 0
    for j in range(i, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[j].text, 0)
        if depth == 0:
            return j
    raise ValueError("no closing parenthesis")


def is_operand_end(token):
    return token.kind in ("word", "number", "string", "char") and token.text != "return" or token.text in (")", "]")


def numbers_near(text):
    digits = re.match(r"0[xX][0-9a-fA-F]+|\d+", text)[0]
    n, rest = int(digits, 0), text[len(digits):]
    return [f"{m}{rest}" for m in (n + 1, n - 1) if m >= 0]


def sql_changes(token):
    for m in SQL.finditer(token.text):
        if m.lastgroup == "number":
            news = numbers_near(m[0])
        else:
            news = SQL_SWAPS.get(m[0], [""])
        if m.lastgroup == "number" and m.start() and token.text[m.start() - 1] == "$":
            continue
        for new in news:
            yield token.start + m.start(), token.start + m.end(), new


def operator_changes(source, tokens):
    for i, t in enumerate(tokens):
        before = tokens[i - 1] if i else None
        news = []
        if t.kind == "number":
            news = numbers_near(t.text)
        elif t.kind == "char" and len(t.text) == 3:
            news = [f"'{chr(ord(t.text[1]) + 1)}'"]
        elif t.text in SWAPS:
            news = SWAPS[t.text]
        elif t.text in BINARY and before and is_operand_end(before) and source[t.end].isspace():
            news = BINARY[t.text]
        elif t.text == "!":
            news = [""]
        elif t.text == "?":
            news = ["|| 1 ?", "&& 0 ?"]
        for new in news:
            yield t.start, t.end, new


def condition_changes(tokens):
    for i, t in enumerate(tokens):
        if t.text in ("if", "while") and tokens[i + 1].text == "(":
            close = tokens[match_of(tokens, i + 1)]
            yield tokens[i + 1].end, tokens[i + 1].end, "!("
            yield close.start, close.start, ")"


def statement_deletions(tokens):
    """Expressions, break and continue; what declares or returns would only fail to compile."""
    inside = 0  # of parentheses: those of a for hold no statements
    for i, t in enumerate(tokens[1:], start=1):
        before = tokens[i - 1].text
        inside += {"(": 1, ")": -1}.get(before, 0)
        if inside:
            continue
        starts = before in (";", "{", "}", "else") or before == ")" and follows_condition(tokens, i - 1)
        if not starts or t.text in NO_STATEMENT or t.kind != "word" and t.text not in ("*", "++", "--"):
            continue
        depth = 0
        for u in tokens[i:]:
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(u.text, 0)
            if depth < 0 or depth == 0 and u.text in (",", ":", "}"):
                break
            if u.text == ";" and depth == 0:
                yield t.start, u.end, ";"
                break


def follows_condition(tokens, close):
    depth = 0
    for j in range(close, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[j].text, 0)
        if depth == 0:
            return j > 0 and tokens[j - 1].text in ("if", "while", "for")
    return False


def in_function(source):
    """Where each function's body begins and ends, and its name."""
    return [(m.start(), source.index("\n}\n", m.start()), m["name"])
            for m in re.finditer(r"^[a-z][^\n;=#]*?\b(?P<name>\w+)\((?:[^;{}]|\n)*?\)\n\{$", source, re.M)]


def named(source, edits, label=""):
    """A mutant with its name."""
    start = edits[0][0]
    text = source
    for a, b, new in sorted(edits, reverse=True):
        text = text[:a] + new + text[b:]
    function = next((n for a, b, n in in_function(source) if a <= start <= b), "-")
    from_line = text.rfind("\n", 0, start) + 1
    line = " ".join(text[from_line:text.index("\n", start)].split())
    return Mutant(f"{function}: {label or line}", text)


def mutants_of(source, has_sql=False):
    """All mutants of a file, in its order."""
    tokens = tokens_of(source)
    asserted = [(m.start(), m.end()) for m in re.finditer(r"^static_assert\(.*?;", source, re.M | re.S)]
    found = [[edit] for edit in operator_changes(source, tokens)]
    flips = list(condition_changes(tokens))
    found += [list(pair) for pair in zip(flips[::2], flips[1::2])]
    bodies = in_function(source)
    deleted = [[edit] for edit in statement_deletions(tokens) if any(a <= edit[0] <= b for a, b, _ in bodies)]
    if has_sql:
        strings = [t for t in tokens if t.kind == "string" and not any(a <= t.start <= b for a, b, _ in bodies)]
        found += [[edit] for t in strings for edit in sql_changes(t)]
    mutants = [(edits[0][0], named(source, edits)) for edits in found]
    for edit in deleted:
        (a, b, _), = edit
        mutants.append((a, named(source, edit, "deleted " + " ".join(source[a:b].split()))))
    return [m for at, m in sorted(mutants, key=lambda pair: pair[0])
            if not any(a <= at < b for a, b in asserted)]

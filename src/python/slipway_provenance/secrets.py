"""Keeps secrets out of what is recorded of a command."""

import re

_hidden = "***"

# Wherever one of these words stands in the name of an option, its value is a secret ...
_secret_words = frozenset(
    "password passwd passphrase pwd secret secrets credential credentials apikey apitoken authtoken accesstoken "
    "accesskey secretkey privatekey authorization".split()
)
# ... and so it is where one of these is the last one: "api-key", but not "key-column" or "max-tokens".
_secret_last_words = frozenset("token key auth pat jwt bearer".split())

_word = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_assignment = re.compile(r"^(?P<name>[-+~]{0,2}[\w.\-/]+?)(?P<sign>[=:])(?P<value>.+)$", re.S)
_option = re.compile(r"^(?:-{1,2}|/)[A-Za-z][\w.\-]*$")

# Forms of well-known tokens, and of addresses that carry a password or a signature.
_known_forms = [
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), _hidden),
    (re.compile(r"(?i)([?&](?:[\w-]*(?:token|key|secret|password|signature|credential)|sig|code)=)[^&\s]+"), r"\1" + _hidden),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 " + _hidden),
    (re.compile(r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_\w{16,}|sk-[\w-]{16,}|xox[a-z]-[\w-]{10,})"), _hidden),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bdapi[0-9a-f]{32}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _hidden),
]


def without_secrets(arguments):
    """The arguments with `***` in place of values of secret options and of what has the form of a token."""
    result = []
    value_is_secret = False
    for argument in arguments:
        if value_is_secret and not _option.match(argument):
            result.append(_hidden)
            value_is_secret = False
            continue
        assignment = _assignment.match(argument)
        if assignment and _is_secret(assignment.group("name")):
            result.append(assignment.group("name") + assignment.group("sign") + _hidden)
            value_is_secret = False
            continue
        value_is_secret = bool(_option.match(argument)) and _is_secret(argument)
        for form, replacement in _known_forms:
            argument = form.sub(replacement, argument)
        result.append(argument)
    return result


def _is_secret(name):
    words = [word.lower() for word in _word.findall(name)]
    joined = "".join(words)
    return bool(words) and (
        words[-1] in _secret_last_words
        or any(word in _secret_words for word in words)
        or any(joined.endswith(word) for word in ("apikey", "accesskey", "secretkey", "privatekey", "authtoken"))
    )

"""Reads GQL tokens one after the other, and the values among them: literals and bindings."""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Callable
from typing import Final, TypeVar

from gae_pusher.emulator.datastore.gql_tokens import Kind, Token, tokens, unexpected
from gae_pusher.emulator.datastore.keys import Partition
from gae_pusher.emulator.datastore.messages import GqlQuery, GqlQueryParameter, Key, Value
from gae_pusher.emulator.datastore.refusals import Refusal, invalid

__all__ = ["GqlReader"]

T = TypeVar("T")

_INTEGERS: Final = range(-(2**63), 2**63)


class GqlReader:
    """A place in a GQL query. Every method raises Refusal for what cannot stand there."""

    def __init__(self, query: GqlQuery, partition: Partition) -> None:
        self._query = query
        self._partition = partition
        self._tokens = list(tokens(query.query_string))
        self._next = 0
        self._used: set[str] = set()

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._next]

    def unexpected(self) -> Refusal:
        """The refusal of the next token."""
        return unexpected(self._query.query_string, self.token)

    def take(self, kind: Kind) -> str:
        """The text of the next token, which has to be of a kind."""
        token = self.token
        if token.kind is not kind:
            raise self.unexpected()
        self._next += 1
        return token.text

    def accept(self, *words: str) -> bool:
        """Move behind keywords or a symbol, if they come next."""
        following = self._tokens[self._next : self._next + len(words)]
        for word, token in zip(words, following, strict=False):
            if token.kind not in (Kind.NAME, Kind.SYMBOL) or token.text.upper() != word:
                return False
        if len(following) < len(words):
            return False
        self._next += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Move behind keywords or a symbol, which have to come next."""
        if not self.accept(*words):
            raise self.unexpected()

    def name(self) -> str:
        """A kind or a property."""
        if self.token.kind is Kind.QUOTED_NAME:
            return self.take(Kind.QUOTED_NAME)
        return self.take(Kind.NAME)

    def listed(self, read: Callable[[], T]) -> list[T]:
        """One or more, with commas between them."""
        found = [read()]
        while self.accept(","):
            found.append(read())
        return found

    def parenthesized(self, read: Callable[[], T]) -> list[T]:
        """One or more, with commas between them and parentheses around."""
        self.expect("(")
        found = self.listed(read)
        self.expect(")")
        return found

    def finish(self) -> None:
        """Nothing may follow, and all positional bindings must have been used."""
        if self.token.kind is not Kind.END:
            raise self.unexpected()
        for number in range(1, len(self._query.positional_bindings) + 1):
            if str(number) not in self._used:
                raise invalid(f"Unused positional binding: {number}.")
        for name in self._query.named_bindings:
            if name not in self._used:
                raise invalid(f"Unused named binding: {name}.")

    def binding(self) -> GqlQueryParameter:
        """The parameter that an @ stands for."""
        name = self.take(Kind.BINDING)[1:]
        self._used.add(name)
        if not name.isdigit():
            if name not in self._query.named_bindings:
                raise invalid(f"Absent named binding: {name}.")
            return self._query.named_bindings[name]
        if not 1 <= int(name) <= len(self._query.positional_bindings):
            raise invalid(f"Absent positional binding: {name}.")
        return self._query.positional_bindings[int(name) - 1]

    def cursor(self) -> bytes | None:
        """The cursor that a binding stands for; None, and no move, if it stands for a value."""
        start = self._next
        parameter = self.binding()
        if parameter.WhichOneof("parameter_type") == "cursor":
            return parameter.cursor
        self._next = start
        return None

    def value(self) -> Value:
        """A binding or a literal."""
        if self.token.kind is Kind.BINDING:
            token = self.token
            parameter = self.binding()
            if parameter.WhichOneof("parameter_type") != "value":
                raise unexpected(self._query.query_string, token)
            return parameter.value
        return self._literal()

    def is_value(self) -> bool:
        """Whether a value comes next, and not a property."""
        token, following = self.token, self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if token.kind is not Kind.NAME:
            return token.kind is not Kind.QUOTED_NAME
        word = token.text.upper()
        return word in ("TRUE", "FALSE", "NULL") or (
            word in ("KEY", "ARRAY", "BLOB", "DATETIME") and following.text == "("
        )

    def count(self) -> int:
        """A number of results, as a literal or a binding."""
        return _whole(self.value())

    def _literal(self) -> Value:
        token = self.token
        if self.accept("ARRAY"):
            value = Value()
            value.array_value.values.extend(self.parenthesized(self.value))
            return value
        value = self._simple_literal()
        if not self._query.allow_literals:
            raise invalid(f"Disallowed literal: {token.text}.")
        return value

    def _simple_literal(self) -> Value:
        kind = self.token.kind
        if kind is Kind.INTEGER:
            return self._integer()
        if kind is Kind.DOUBLE:
            return Value(double_value=float(self.take(kind)))
        if kind is Kind.STRING:
            return Value(string_value=self.take(kind))
        if self.accept("NULL"):
            return Value(null_value=0)
        for word in ("TRUE", "FALSE"):
            if self.accept(word):
                return Value(boolean_value=word == "TRUE")
        return self._synthetic()

    def _integer(self) -> Value:
        number = int(self.take(Kind.INTEGER))
        if number not in _INTEGERS:
            raise invalid(f"The integer {number} does not fit into 64 bits.")
        return Value(integer_value=number)

    def _synthetic(self) -> Value:
        if self.accept("KEY"):
            return Value(key_value=self._key())
        if self.accept("BLOB"):
            return Value(blob_value=_blob(self._argument()))
        if self.accept("DATETIME"):
            return _datetime(self._argument())
        raise self.unexpected()

    def _argument(self) -> str:
        (text,) = self.parenthesized(lambda: self.take(Kind.STRING))
        return text

    def _key(self) -> Key:
        key = Key()
        partition = key.partition_id
        partition.project_id, partition.database_id, partition.namespace_id = self._partition
        self.expect("(")
        for word, field in (("PROJECT", "project_id"), ("NAMESPACE", "namespace_id")):
            if self.accept(word, "("):
                setattr(partition, field, self.take(Kind.STRING))
                self.expect(")")
                self.expect(",")
        self.listed(lambda: self._path_element(key))
        self.expect(")")
        return key

    def _path_element(self, key: Key) -> None:
        kind = self.name() if self.token.kind is not Kind.STRING else self.take(Kind.STRING)
        self.expect(",")
        value = self.value()
        if value.WhichOneof("value_type") == "integer_value":
            key.path.append(Key.PathElement(kind=kind, id=value.integer_value))
        elif value.WhichOneof("value_type") == "string_value":
            key.path.append(Key.PathElement(kind=kind, name=value.string_value))
        else:
            raise invalid("GQL: in a KEY an id is an integer and a name is a string.")


def _whole(value: Value) -> int:
    if value.WhichOneof("value_type") != "integer_value":
        raise invalid("GQL: a number of results is an integer.")
    return value.integer_value


def _blob(text: str) -> bytes:
    try:
        if "=" in text:
            raise ValueError("padding is not allowed")
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise invalid(f'Invalid blob text: "{text}".') from error


def _datetime(text: str) -> Value:
    value = Value()
    try:
        moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("an offset is required")
        value.timestamp_value.FromDatetime(moment)
    except ValueError as error:
        raise invalid(f'Invalid datetime text: "{text}". It must be RFC 3339.') from error
    return value

"""docs/openapi.yaml, held against every answer that any test gets.

A deviation is kept, not raised: the test that met it is about something else. conftest.py fails the
suite with all of them at its end, and test_openapi.py looks for those of its own calls.
"""

import json
import pathlib
import re
import urllib.parse

import jsonschema
import yaml

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "head", "post", "put", "patch", "delete")
REMEMBERED = 20_000  # items of lists, each of a kilobyte or less

# What nginx says itself, before any endpoint is reached.
BY_NGINX = {400, 413, 414, 429, 501, 503}


class Strict(yaml.SafeLoader):
    """Refuses a mapping in which a key stands twice, as YAML does; PyYAML would take the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"stands twice: {sorted(twice)}", node.start_mark)
        return super().construct_mapping(node, deep)


class Contract:
    def __init__(self):
        self.document = yaml.load(FILE.read_text(), Strict)
        self.resolver = jsonschema.RefResolver("", self.document)
        self.valid = {}  # (id of the schema of a list's items, an item as text): that schema, whose id is nobody else's so long
        self.remembering = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"items": self._items})
        self.seen = set()  # (operationId, status)
        self.used = set()  # (operationId, a parameter or field of a call that succeeded)
        self.deviations = []

    def resolve(self, node):
        """What a node stands for, where it is a reference."""
        while "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def operation(self, method, path):
        return self.document["paths"].get(path, {}).get(method.lower())

    def errors(self, schema, value, kind=jsonschema.Draft202012Validator):
        validator = kind(schema, resolver=self.resolver)
        return [f"{'/'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(value)]

    # ------------------------------------------------------------ an answer

    def _items(self, validator, items, value, schema):
        """jsonschema's "items", but for items that were valid before: lists show the same ones again and again."""
        assert "prefixItems" not in schema
        for i, item in enumerate(value if isinstance(value, list) else ()):
            key = id(items), json.dumps(item, sort_keys=True)
            if key in self.valid:
                continue
            errors = list(validator.descend(item, items, path=i))
            yield from errors
            if not errors:
                if len(self.valid) >= REMEMBERED:
                    self.valid.clear()
                self.valid[key] = items

    def check(self, response):
        """Keeps how the answer, and the request if it was good, deviate from the document."""
        path, _, query = response.target.partition("?")
        operation = self.operation(response.method, path)
        if not operation:
            if path in self.document["paths"] and response.status not in BY_NGINX | {404, 405}:
                self.deviations.append(f"{response.method} {path} is not documented: {response}")
            return
        found = list(self._answer(operation, response))
        if response.status < 400:
            found += self._request(operation, query, response)
        if found:
            self.deviations.append(f"{response.method} {path} {response.status}: {found[:3]} {response}")
        self.seen.add((operation["operationId"], response.status))

    def _answer(self, operation, response):
        answer = operation["responses"].get(str(response.status))
        if not answer:
            if response.status not in BY_NGINX:
                yield "this status is not documented"
            return
        answer = self.resolve(answer)
        for name, header in answer.get("headers", {}).items():
            value = response.headers[name]
            if value is None:
                yield f"no {name}"
            else:
                yield from self.errors(header["schema"], value)
        if response.method == "HEAD":
            return
        content = answer.get("content", {}).get(response.type)
        if not content:
            yield f"{response.type} is not documented"
            return
        is_json = response.type.endswith("json")
        yield from self.errors(content["schema"], response.json if is_json else response.text, self.remembering)

    # ------------------------------------------------------------ a request that was good

    def fields(self, operation):
        """The schema of the request's body; {} if it has none, or whatever comes is taken."""
        body = operation.get("requestBody")
        return self.resolve(body["content"]["application/json"].get("schema", {})) if body else {}

    def parameters(self, operation):
        """The parameters of the query."""
        return [p for p in map(self.resolve, operation.get("parameters", ())) if p["in"] == "query"]

    def _request(self, operation, query, response):
        given = dict(urllib.parse.parse_qsl(query))
        if self.fields(operation) and response.sent:
            body = json.loads(response.sent)
            given.update(body)
            yield from self.errors(self.fields(operation), body)
        self.used |= {(operation["operationId"], name) for name in given}
        for parameter in self.parameters(operation):
            if parameter["name"] in given:
                value = given[parameter["name"]]
                schema = self.resolve(parameter["schema"])
                if schema.get("type") == "integer" and re.fullmatch("[0-9]+", value):
                    value = int(value)
                yield from self.errors(schema, value)
            elif parameter.get("required"):
                yield f"{parameter['name']} is not required"


CONTRACT = Contract()

"""An OpenAPI 3.0 file as a strict JSON Schema: what the file does not name is wrong.

The files describe objects without closing them, so that an answer in the wrong dialect would pass. Here each object
that has named properties is closed (`unevaluatedProperties: false`), `nullable` becomes a type, and a `discriminator`
chooses by the value of its property; a value that its mapping does not know is wrong.
"""

import json
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker


# What means the same in both.
KEPT = [
    "type", "enum", "pattern", "minLength", "maxLength", "format", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "required",
]  # fmt: skip


class Specification:
    def __init__(self, path: Path):
        self.file = json.loads(path.read_text())
        self.version = self.file["info"]["version"]
        schemas = self.file["components"]["schemas"]
        self.definitions = {}
        for name, schema in schemas.items():
            if "mapping" in schema.get("discriminator", {}) and "oneOf" not in schema:
                # Its variants build on it by allOf: they build on an open copy, and it becomes a choice of them.
                self.definitions[name + ".open"] = convert(schema, closed=False)
                self.definitions[name] = choice(schema["discriminator"])
            else:
                self.definitions[name] = convert(schema)
            # What is a part of an allOf stays open; the whole is closed.
            self.definitions.setdefault(name + ".open", convert(schema, closed=False))

    def operation(self, method: str, path: str) -> dict:
        return self.file["paths"][path][method.lower()]

    def answer(self, method: str, path: str, status: int, content_type: str) -> dict:
        """The schema of an answer; any status that the file does not name is its `default`."""
        responses = self.operation(method, path)["responses"]
        content = responses.get(str(status), responses["default"])["content"]
        return content[content_type.split(";")[0]]["schema"]

    def faults(self, value, schema: dict) -> list[str]:
        """What is wrong with a value, one line each: where, and what."""
        root = convert(schema) | {"components": {"schemas": self.definitions}}
        validator = Draft202012Validator(root, format_checker=FormatChecker())
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]

    def problem(self) -> dict:
        return {"$ref": "#/components/schemas/Problem"}


def convert(schema: dict, closed: bool = True) -> dict:
    if "$ref" in schema:
        return {"$ref": schema["$ref"] + ("" if closed else ".open")}
    made = {key: schema[key] for key in KEPT if key in schema}
    if schema.get("format") not in ("date-time", "uri", None):
        made.pop("format")
    for key in ("oneOf", "anyOf"):
        if key in schema:
            made[key] = [convert(part, closed) for part in schema[key]]
    if "allOf" in schema:
        made["allOf"] = [convert(part, closed=False) for part in schema["allOf"]]
    if "items" in schema:
        made["items"] = convert(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: convert(part) for name, part in schema["properties"].items()}
    if "additionalProperties" in schema:
        extra = schema["additionalProperties"]
        made["additionalProperties"] = convert(extra) if isinstance(extra, dict) else extra
    elif closed and ("properties" in schema or "allOf" in schema):
        made["unevaluatedProperties"] = False
    if schema.get("nullable"):
        return {"anyOf": [{"type": "null"}, made]}
    return made


def choice(discriminator: dict) -> dict:
    key, mapping = discriminator["propertyName"], discriminator["mapping"]
    rules = [{"if": {"properties": {key: {"const": value}}}, "then": {"$ref": target}} for value, target in mapping.items()]
    return {"type": "object", "required": [key], "properties": {key: {"enum": list(mapping)}}, "allOf": rules}

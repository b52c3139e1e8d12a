"""The JSON schema of a configuration, for editors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic.json_schema import GenerateJsonSchema

from trancher.app.grammar import Configuration


class _Schema(GenerateJsonSchema):
    """Writes defaults as a configuration would."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Decimal):
            return int(dft) if dft == dft.to_integral_value() else float(dft)
        if isinstance(dft, timedelta):
            return f"{dft // timedelta(minutes=1)}m"
        if isinstance(dft, ZoneInfo):
            return dft.key
        return super().encode_default(dft)


def json_schema() -> dict[str, Any]:
    """Return the schema; keys without a value of their own by default have none."""
    schema = Configuration.model_json_schema(by_alias=True, schema_generator=_Schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Trancher configuration",
        **{key: _bare(item) for key, item in schema.items() if key != "title"},
    }


def _bare(node: Any) -> Any:
    """Drop what a TOML file cannot say: null, and the defaults of whole tables."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    bare = {key: _bare(item) for key, item in node.items() if key != "title" or "type" not in node}
    if isinstance(bare.get("default", 0), dict) or bare.get("default", 0) is None:
        del bare["default"]
    choices = bare.get("anyOf")
    if isinstance(choices, list):
        bare["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
    return bare

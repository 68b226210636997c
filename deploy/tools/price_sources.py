"""The public price lists that the shipped prices are made from, read for prices-from-sources and for the tests of `bursar price import`.

It shares nothing with the C that reads the same lists (server/domain/price), so that each can be held against the other. A price is
    {"provider", "model", "rates": {meter: n}, "tiers": {above: {meter: n}}, "modes": {mode: {above: {meter: n}}}, "regions": {region:
    Fraction}, "hours": [(days, from, to, Fraction)], "from": day or "", "to": day or "", "page": where the list read it}
with n in pico-USD for one of the meter, as Fractions: what is finer is left to the caller. `modes` has only what the list states.
"""
import ast
import datetime
import json
import re
from fractions import Fraction

TOKENS = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cached_input": "cache_read_input_token_cost",
          "cache_write": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
          "reasoning": "output_cost_per_reasoning_token", "audio_input": "input_cost_per_audio_token",
          "audio_output": "output_cost_per_audio_token", "cached_audio_input": "cache_read_input_audio_token_cost",
          "image_input": "input_cost_per_image_token", "cached_image_input": "cache_read_input_image_token_cost",
          "image_output": "output_cost_per_image_token", "video_input": "input_cost_per_video_token", "citation": "citation_cost_per_token",
          "characters": "input_cost_per_character", "pages": "ocr_cost_per_page", "map_searches": "google_maps_grounding_cost_per_query"}
LITELLM_FIELD = re.compile(r"(%s)(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority|ultrafast|balanced|decisions))?"
                           % "|".join(sorted(TOKENS.values(), key=len, reverse=True)))
LITELLM_REGIONS = {"regional_processing_uplift_multiplier_eu": "eu", "regional_processing_uplift_multiplier_us": "us",
                   "regional_endpoint_uplift_multiplier": "regional", "fedramp_uplift_multiplier": "fedramp"}
PROVIDERS = {"gemini": "google", "bedrock_converse": "bedrock", "bedrock_mantle": "bedrock", "cohere_chat": "cohere",
             "text-completion-openai": "openai", "text-completion-codestral": "codestral", "text-completion-inception": "inception",
             "azure_text": "azure", "meta_llama": "meta", "fireworks_ai-embedding-models": "fireworks_ai", "x-ai": "xai",
             "aws": "bedrock", "together": "together_ai", "fireworks": "fireworks_ai", "moonshotai": "moonshot", "voyageai": "voyage",
             "github-copilot": "github_copilot"}
GENAI_KEYS = {"input_mtok": ("input", 6), "output_mtok": ("output", 6), "cache_read_mtok": ("cached_input", 6),
              "cache_write_mtok": ("cache_write", 6), "cache_write_1h_mtok": ("cache_write_1h", 6), "output_reasoning_mtok": ("reasoning", 6),
              "input_audio_mtok": ("audio_input", 6), "output_audio_mtok": ("audio_output", 6),
              "cache_audio_read_mtok": ("cached_audio_input", 6), "input_image_mtok": ("image_input", 6),
              "cache_image_read_mtok": ("cached_image_input", 6), "output_image_mtok": ("image_output", 6),
              "input_video_mtok": ("video_input", 6), "output_citation_mtok": ("citation", 6), "input_mchars": ("characters", 6),
              "input_document_kpages": ("pages", 9), "requests_kcount": ("calls", 9), "web_searches_kcount": ("web_searches", 9),
              "storage_searches_kcount": ("file_searches", 9)}
GENAI_MODES = {("processing", "batch"): "batch", ("service_tier", "flex"): "flex", ("service_tier", "priority"): "priority",
               ("service_tier", "fast"): "fast", ("speed", "fast"): "fast"}


def provider_of(name):
    return "vertex_ai" if name.startswith("vertex_ai-") else PROVIDERS.get(name, name)


def price(provider, model, page):
    return {"provider": provider, "model": model, "rates": {}, "tiers": {}, "modes": {}, "regions": {}, "hours": [], "from": "", "to": "",
            "page": page}


def put(row, meter, above, mode, usd, scale):
    rates = row["modes"].setdefault(mode, {}).setdefault(above, {}) if mode else row["tiers"].setdefault(above, {}) if above else row["rates"]
    rates[meter] = Fraction(usd) * 10 ** scale


def litellm_model(key, fields):
    provider = provider_of(fields["litellm_provider"])
    first, slash, rest = key.partition("/")
    row = price(provider, rest if slash and rest and provider_of(first) == provider else key, fields.get("source", ""))
    meters = {name: meter for meter, name in TOKENS.items()}
    for name, value in fields.items():
        found = LITELLM_FIELD.fullmatch(name)
        if found and isinstance(value, Fraction):
            above = int(found[2] or 0) * 1000
            put(row, meters[found[1]], above - 1 if above and provider == "xai" else above,
                {"batches": "batch"}.get(found[3], found[3]), value, 12)
        elif name in LITELLM_REGIONS:
            row["regions"][LITELLM_REGIONS[name]] = value
    sizes = set((fields.get("search_context_cost_per_query") or {}).values())
    if len(sizes) == 1:
        put(row, "web_searches", 0, "", sizes.pop(), 12)
    entry = fields.get("provider_specific_entry") or {}
    if "us" in entry:
        row["regions"]["us"] = entry["us"]
    row["fast"] = entry.get("fast")
    row["odd"] = [name for name in ("tiered_pricing", "off_peak_pricing") if name in fields]
    row["does"] = fields.get("mode", "")
    return row


def litellm(text):
    """The models of litellm's list that have prices for tokens or pages, by (provider, model); a name that is there twice is left out."""
    found, twice = {}, set()
    for key, fields in json.loads(text, parse_float=Fraction, parse_int=Fraction).items():
        if key == "sample_spec" or "litellm_provider" not in fields:
            continue
        row = litellm_model(key, fields)
        name = row["provider"], row["model"]
        twice |= {name} & set(found)
        if row["rates"]:
            found[name] = row
    return {name: row for name, row in found.items() if name not in twice}


def python_value(node):
    """What the constructors of genai-prices' data.py say, as the JSON of its repository says it."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [python_value(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {python_value(key): python_value(value) for key, value in zip(node.keys, node.values)}
    if isinstance(node, ast.Attribute):
        return ast.unparse(node)
    assert isinstance(node, ast.Call), ast.dump(node)
    name, args = ast.unparse(node.func), [python_value(arg) for arg in node.args]
    if name == "Decimal":
        return Fraction(args[0])
    if name == "datetime.date":
        return datetime.date(*args).isoformat()
    if name == "datetime.time":
        return "%02d:%02d:00Z" % tuple(args[:2])
    return {word.arg.rstrip("_"): python_value(word.value) for word in node.keywords}


def genai_rates(row, prices, mode):
    for key, value in prices.items():
        if key not in GENAI_KEYS or value is None:
            continue
        meter, scale = GENAI_KEYS[key]
        if mode and meter in row["modes"].get(mode, {}).get(0, {}):
            continue
        if isinstance(value, dict):
            for tier in value["tiers"]:
                put(row, meter, int(tier["start"]), mode, tier["price"], scale)
            value = value["base"]
        put(row, meter, 0, mode, value, scale)


def genai_model(provider, model, page, today):
    """The prices of a model, one after another."""
    offers = model["prices"] if isinstance(model["prices"], list) else [{"prices": model["prices"]}]
    whole_days = [offer for offer in offers if "start_time" not in (offer.get("constraint") or {})]
    dated = [("" if i == 0 else (offer.get("constraint") or {}).get("start_date", ""), offer) for i, offer in enumerate(whole_days)]
    rows = []
    for i, (day, offer) in enumerate(dated):
        row = price(provider, model["id"], page)
        row["from"], row["to"] = day, dated[i + 1][0] if i + 1 < len(dated) else ""
        row["odd"] = [] if len(dated) == len(offers) else ["times of day"]
        genai_rates(row, offer["prices"], "")
        for variant in model.get("price_variants") or []:
            start = (variant.get("constraint") or {}).get("start_date", "")
            mode = len(variant["when"]) == 1 and GENAI_MODES.get(next(iter(variant["when"].items())))
            if mode and start <= max(today, day) and not (row["to"] and row["to"] <= today):  # they are known of today
                genai_rates(row, variant["prices"], mode)
        rows.append(row)
    return rows


def genai_names(model):
    """The ids of a model: its own, and those that a clause equals."""
    match = model["match"]
    return [model["id"], *(clause["equals"] for clause in [match, *match.get("or", [])] if "equals" in clause)]


def genai(text, today):
    """The prices of genai-prices, by (provider, model): lists that are in order of time. `text`: data.json, or data.py."""
    if text.lstrip().startswith("["):
        providers = json.loads(text, parse_float=Fraction, parse_int=Fraction)
    else:
        providers = python_value(next(node.value for node in ast.parse(text).body if isinstance(node, ast.AnnAssign)))
    found = {}
    for provider in providers:
        own = provider_of(provider["id"])
        page = (provider.get("pricing_urls") or [""])[0]
        for names in (lambda model: [model["id"]], genai_names):
            for model in provider["models"]:
                for name in names(model):
                    if (own, name) not in found and model["prices"]:
                        found[own, name] = [{**row, "model": name, "id": model["id"]} for row in genai_model(own, model, page, today)]
    return found

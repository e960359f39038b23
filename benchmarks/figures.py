"""Figures for the docs, as plain SVG that reads in light and in dark."""

from html import escape
from pathlib import Path
from typing import Any

WIDTH = 720
STYLE = (
    "<style>text{font:13px system-ui,sans-serif;fill:#57606a}.t{font-weight:600;font-size:15px}"
    ".v{font-weight:600}.us{fill:#0a7f5a}.them{fill:#9aa4b2}.line{stroke:#0a7f5a;stroke-width:2;fill:none}"
    ".mem{stroke:#b4632a;stroke-width:2;fill:none}.grid{stroke:#9aa4b2;stroke-opacity:.35}"
    "@media(prefers-color-scheme:dark){text{fill:#b6bec9}}</style>"
)
NAMES = {
    "wrk": "wrk, a C load generator (the far side's limit)",
    "ours": "django-ws-lambda",
    "aiohttp": "aiohttp, 128 connections",
    "boto3_10": "boto3, 10 threads",
    "boto3_1": "boto3, 1 thread",
}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Writes the figures that the results are enough for."""
    folder.mkdir(parents=True, exist_ok=True)
    where = f"{results['machine']['cpu']}, {results['machine']['cores']} cores, nginx on loopback"
    if results["machine"]["load_before"] > 1:
        where += f"; a busy machine (load {results['machine']['load_before']})"
    if "fanout" in results:
        (folder / "throughput.svg").write_text(throughput(results["fanout"], where))
    if "growth" in results:
        (folder / "growth.svg").write_text(growth(results["growth"], where))


def throughput(fanout: dict[str, Any], where: str) -> str:
    """Bars of deliveries a second."""
    bars = [(kind, fanout.get(f"{kind}_per_s")) for kind in NAMES]
    shown = [(kind, value) for kind, value in bars if value]
    most = max(value for _, value in shown)
    parts = [f'<text class="t" x="16" y="26">Deliveries a second, one process, {fanout["ratio"]} × boto3</text>']
    for place, (kind, value) in enumerate(shown):
        top = 48 + place * 46
        length = max(2.0, value / most * 560)
        name = escape(NAMES[kind])
        parts.append(f'<text x="16" y="{top + 8}">{name}</text>')
        css = "us" if kind == "ours" else "them"
        parts.append(f'<rect class="{css}" x="16" y="{top + 14}" width="{length:.1f}" height="16" rx="2"/>')
        parts.append(f'<text class="v" x="{24 + length:.1f}" y="{top + 27}">{value:,}</text>')
    return _svg(parts, 48 + len(shown) * 46 + 28, where)


def growth(points: list[dict[str, Any]], where: str) -> str:
    """CPU of a delivery and peak memory, by members."""
    parts = ['<text class="t" x="16" y="26">CPU of a delivery and peak memory, by members of the channel</text>']
    left, right, top, bottom = 70.0, 640.0, 60.0, 240.0
    step = (right - left) / max(1, len(points) - 1)
    most = {key: max(one[key] for one in points) * 1.5 for key in ("cpu_us", "peak_mb")}

    def at(place: int, key: str) -> tuple[float, float]:
        return left + place * step, bottom - points[place][key] / most[key] * (bottom - top)

    for share in range(5):
        y = bottom - share / 4 * (bottom - top)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
    for key, css, unit, shift in (("cpu_us", "line", "µs", -10), ("peak_mb", "mem", "MB", 20)):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(place, key) for place in range(len(points))))
        parts.append(f'<polyline class="{css}" points="{path}"/>')
        for place, one in enumerate(points):
            x, y = at(place, key)
            parts.append(
                f'<text class="v" text-anchor="middle" x="{x:.1f}" y="{y + shift:.1f}">{one[key]:g} {unit}</text>'
            )
    for place, one in enumerate(points):
        parts.append(f'<text text-anchor="middle" x="{left + place * step:.1f}" y="262">{one["members"]:,}</text>')
    return _svg(parts, 296, where)


def _svg(parts: list[str], height: int, where: str) -> str:
    foot = f'<text x="16" y="{height - 10}">{escape(where)}</text>'
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{STYLE}{"".join(parts)}{foot}</svg>\n'

"""axe-core (https://github.com/dequelabs/axe-core): what it finds in a page that not everybody can use."""

from __future__ import annotations

from importlib import resources

from playwright.sync_api import Page

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
"""The package is wanted for this file only."""
FAULTS = """async () => {
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("  ")}`);
}"""


def faults(page: Page) -> list[str]:
    """What it calls serious or critical in what is shown."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(FAULTS)
    return found

"""The YAML view: the strategy's text, edited beside the canvas."""

from quantcrafter.app.panes.yaml_view.view import YamlView

__all__ = ["YamlView"]

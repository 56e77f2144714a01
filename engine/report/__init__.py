"""The report of a run: one HTML file and one picture."""

from engine.report.source import ReportSource
from engine.report.writing import page_of, write_report

__all__ = ["ReportSource", "page_of", "write_report"]

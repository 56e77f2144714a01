"""The report of a run: one HTML file and one picture."""

from engine.report.source import ReportSource
from engine.report.writing import write_report

__all__ = ["ReportSource", "write_report"]

"""The plugin as MLflow finds it: a distribution with one entry point, which exists in memory only."""

import pathlib
from importlib.metadata import Distribution

_texts = {
    "METADATA": "Metadata-Version: 2.1\nName: slipway-provenance\nVersion: 1\n",
    "entry_points.txt": "[mlflow.request_header_provider]\nslipway = slipway_provenance.header:ProgramHeader\n",
}


class SlipwayDistribution(Distribution):
    def read_text(self, filename):
        return _texts.get(str(filename))

    def locate_file(self, path):
        return pathlib.Path(__file__).parent.parent / path

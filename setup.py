"""Packaging: ranges live here, the pins that were tested in requirements.txt, their hashes in requirements.lock."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

VERSION = re.findall(r'__version__ = "(.+)"', Path("deployer/__version__.py").read_text())[0]


class BuildWithData(build_py):
    """Puts sql/ and sample_data/ into the package, so that the commands find them from any folder."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for folder in ("sql", "sample_data"):
            target = Path(self.build_lib) / "deployer" / folder
            shutil.rmtree(target, ignore_errors=True)  # what an earlier build left must not come back
            shutil.copytree(folder, target)


setup(
    name="sid-publisher-job",
    version=VERSION,
    description="Deploys BigQuery stored procedures and publishes data through them, by date.",
    python_requires=">=3.11",
    packages=find_packages(include=["deployer*", "embedded_bigquery*"]),
    cmdclass={"build_py": BuildWithData},
    entry_points={"console_scripts": ["pipeline=deployer.run_pipeline:main", "deployer=deployer.cli:main"]},
    install_requires=[
        "click>=8.1,<9",
        "duckdb>=2.0,<2.1",
        "google-cloud-bigquery>=3.40,<4",
        "google-cloud-storage>=3,<4",
        "numpy>=2,<3",  # DuckDB wants it for functions in Python
        "pydantic>=2.7,<3",
        "pyyaml>=6,<7",
        "rich>=13",
        "sqlglot>=30.30,<30.31",
        "tenacity>=9,<10",
    ],
    extras_require={
        "avro": ["fastavro>=1.9,<2"],  # loads of Avro files into the embedded engine
        "check": ["zetasql>=0.1.5,<0.2"],  # `deployer check` and `deployer lineage`: GoogleSQL's analyzer
        "javascript": ["mini-racer>=0.12,<1"],  # functions in JavaScript on the embedded engine
    },
)

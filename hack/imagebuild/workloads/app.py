"""Imports what a small service imports, and does a little with each."""

import sqlite3

import numpy
import requests
import sqlalchemy
import yaml

matrix = numpy.arange(9, dtype=float).reshape(3, 3) + numpy.eye(3)
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    row = connection.execute(sqlalchemy.text("select 6 * 7")).scalar_one()

print(
    yaml.safe_dump(
        {
            "determinant": round(float(numpy.linalg.det(matrix)), 3),
            "row": row,
            "sqlite": sqlite3.sqlite_version,
            "requests": requests.__version__,
        }
    ),
    end="",
)
print("python is ready")

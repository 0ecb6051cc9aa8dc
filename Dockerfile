ARG BASE=python:3.11-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /build
# The dependencies' wheels stay cached until requirements.txt changes.
COPY requirements.txt ./
RUN pip wheel --no-cache-dir --wheel-dir wheels --requirement requirements.txt
COPY setup.py pyproject.toml ./
COPY deployer/ deployer/
COPY embedded_bigquery/ embedded_bigquery/
RUN pip wheel --no-cache-dir --no-deps --wheel-dir wheels . \
    && python -m venv --without-pip /opt/sid \
    && pip --python /opt/sid/bin/python install --no-cache-dir --no-index wheels/*.whl

# hadolint ignore=DL3006
FROM ${BASE}
ENV PATH=/opt/sid/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/sid/ /opt/sid/
COPY sql/ sql/
COPY sample_data/ sample_data/
COPY config/ config/
# The embedded engine's file; all else may be read-only.
RUN install --directory --owner=10001 --group=10001 .warehouse
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["pipeline"]

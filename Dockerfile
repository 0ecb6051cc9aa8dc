# By digest, so that the same commit always stands on the same base; a newer one:
# `docker buildx imagetools inspect python:3.11-slim-bookworm`.
ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /build
# Each wheel is checked against its hash, and stays cached until the lock changes. A private package index comes in
# as a secret (`docker build --secret id=pip.conf,src=…`), which no layer keeps.
COPY requirements.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    pip wheel --no-cache-dir --no-deps --require-hashes --only-binary :all: --wheel-dir wheels --requirement requirements.lock
COPY setup.py pyproject.toml ./
COPY deployer/ deployer/
COPY embedded_bigquery/ embedded_bigquery/
COPY sql/ sql/
COPY sample_data/ sample_data/
# With the base's own setuptools: nothing that has no hash is downloaded.
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir wheels . \
    && python -m venv --without-pip /opt/sid \
    && pip --python /opt/sid/bin/python install --no-cache-dir --no-index --no-deps wheels/*.whl

# hadolint ignore=DL3006
FROM ${BASE}
ENV PATH=/opt/sid/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 TMPDIR=/app/.warehouse
WORKDIR /app
COPY --from=build /opt/sid/ /opt/sid/
COPY config/ config/
# For the embedded engine's file and what is temporary, whoever the container runs as; all else may be read-only.
RUN install --directory --mode=1777 .warehouse
VOLUME /app/.warehouse
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="SID publisher job" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["pipeline"]

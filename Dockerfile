# Two stages: wheels, each checked against its hash, then a small image that holds only what runs.
# The tag is that of the Python image's release; it was not pulled here.
FROM python:3.12.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY constraints.txt ./
RUN pip download --quiet --only-binary=:all: --require-hashes --requirement constraints.txt --dest /wheels
COPY pyproject.toml README.md LICENSE ./
COPY bridge ./bridge
RUN pip wheel --quiet --no-index --find-links=/wheels --no-deps --wheel-dir=/wheels . \
    && python -m venv /opt/prombridge \
    && /opt/prombridge/bin/pip install --quiet --no-index --find-links=/wheels "prombridge[otel,valkey]"

FROM python:3.12.13-slim-bookworm
# Kernels are compiled for this CPU level, not for the machine that builds. `generic` runs anywhere.
ARG KERNEL_CPU=x86-64-v3
ENV PATH=/opt/prombridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PROMBRIDGE_KERNEL_CACHE=/var/cache/prombridge/kernels \
    NUMBA_CPU_NAME=$KERNEL_CPU \
    NUMBA_CPU_FEATURES=""
COPY --from=build /opt/prombridge /opt/prombridge
RUN useradd --system --uid 10099 --no-create-home --home-dir /nonexistent prombridge \
    && install --directory --owner=prombridge --group=prombridge /var/cache/prombridge/kernels
USER prombridge
RUN prombridge warm
EXPOSE 9099
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=6 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9099/-/ready', timeout=2)"]
ENTRYPOINT ["prombridge"]
CMD ["serve", "--config.file=/etc/prombridge/prometheus.yml", "--web.listen-address=0.0.0.0:9099"]

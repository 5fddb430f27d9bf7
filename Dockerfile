# The REST service in a container: docker build -t evenray . (docs/guides/serving.md)
FROM python:3.11-slim AS built
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY locks locks
COPY tools/install.sh tools/install.sh
COPY src src
# Give PyTorch's index of CPU builds (--build-arg PIP_EXTRA_INDEX_URL=...) for an image without the gigabytes of CUDA.
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/evenray && sh tools/install.sh /opt/evenray/bin app

FROM python:3.11-slim
COPY --from=built /opt/evenray /opt/evenray
RUN useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin evenray && mkdir /runs
USER evenray
ENV PATH=/opt/evenray/bin:$PATH PYTHONUNBUFFERED=1 EVENRAY_CACHE=/tmp/evenray NUMBA_CACHE_DIR=/tmp/numba
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
# Beyond the container's own address a token is needed: it comes from the environment, as EVENRAY_TOKEN.
ENTRYPOINT ["evenray", "serve", "--host", "0.0.0.0", "--port", "8000"]
CMD ["/runs/model"]

# The REST service in a container: docker build -t evenray . (docs/guides/serving.md)
FROM python:3.11-slim AS built
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/evenray && /opt/evenray/bin/pip install --no-cache-dir --constraint constraints.txt '.[app]'

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

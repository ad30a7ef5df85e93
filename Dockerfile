# The bot and nothing else: dependencies are installed in one stage and copied into the next.
# glibc, because the embedded Valkey server has no build for musl (Alpine).
FROM python:3.12-slim AS dependencies
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home bot \
    && install -d -o bot -g bot -m 700 /data
COPY --from=dependencies /venv /venv
COPY bot /app/bot
COPY handlers /app/handlers
COPY storage /app/storage
WORKDIR /app
USER 10001
# The embedded server keeps histories in /data: mount a volume there, or set REDIS_URL.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz')"]
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]

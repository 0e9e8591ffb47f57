# PostgreSQL and Redis from Debian's packages, for docker/compose.closed.yaml: as much of the official images as the stack uses.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS redis
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
USER redis
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no", "--dir", "/tmp"]

FROM ${BASE} AS postgres
RUN apt-get update && apt-get install -y --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
USER postgres
CMD ["sh", "-c", "[ -s $PGDATA/PG_VERSION ] || { printf %s \"$POSTGRES_PASSWORD\" >/tmp/password && initdb -U postgres -E UTF8 --locale=C.UTF-8 --auth=scram-sha-256 --pwfile=/tmp/password && rm /tmp/password && echo 'host all all all scram-sha-256' >>$PGDATA/pg_hba.conf; } && exec postgres -c listen_addresses='*'"]

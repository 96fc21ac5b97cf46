# Two images from one build: `minprom` (server, bot, tools) and `minprom-demo` (api, worker and PostgreSQL's exporter: what needs libpq).
#
#   docker build --target minprom -t minprom .
#   docker build --target minprom-demo -t minprom-demo .
#
# The standard library is linked in, so the images are a small Debian and one program.

FROM swift:6.3-bookworm AS build
WORKDIR /src
# Headers of C libraries, and uPlot for the pages: whatever changes less than the sources.
COPY scripts/setup.sh scripts/fetch-uplot.sh scripts/
COPY Sources/Leaves/CWebFiles Sources/Leaves/CWebFiles
RUN scripts/setup.sh
COPY Package.swift Package.resolve[d] ./
RUN swift package resolve
COPY . .
RUN --mount=type=cache,target=/src/.build,id=minprom-build \
    swift build -c release --static-swift-stdlib --product minprom \
    && swift build -c release --static-swift-stdlib --product minprom-demo \
    && mkdir -p /out && cp .build/release/minprom .build/release/minprom-demo /out/ && strip /out/*

FROM debian:bookworm-slim AS runtime
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates liblz4-1 libstdc++6 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    # Nothing here needs to become somebody else.
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && groupadd --gid 10001 minprom && useradd --uid 10001 --gid minprom --home-dir /minprom --no-create-home --shell /usr/sbin/nologin minprom \
    # Volumes take over the owner of the folder they are mounted on.
    && for folder in data/minprom data/bot secrets/database secrets/admin secrets/bot; do \
        install -d -o minprom -g minprom "/minprom/$folder"; done
WORKDIR /minprom
USER 10001:10001

FROM runtime AS minprom-demo
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
USER 10001:10001
COPY --from=build /out/minprom-demo /usr/local/bin/minprom-demo
EXPOSE 8000 8001 9187
ENTRYPOINT ["minprom-demo"]
CMD ["api"]

# The last stage is what `docker build .` makes.
FROM runtime AS minprom
COPY --from=build /out/minprom /usr/local/bin/minprom
EXPOSE 9090 9093 9100 9115 5001
VOLUME ["/minprom/data/minprom"]
ENTRYPOINT ["minprom"]
CMD ["serve", "--storage.tsdb.path=data/minprom"]

# syntax=docker/dockerfile:1

# The worker as one static binary and nothing else: no shell, no package manager,
# no root. It runs with a read-only root file system; only /data is written to.
#
# The first build takes minutes and about 6 GB of memory: the Graph SDK is large.

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w" -o /out/curfew ./cmd/curfew \
 && install -d -m 0700 /out/data /out/tmp \
 && cp /usr/local/go/lib/time/zoneinfo.zip /out/zoneinfo.zip

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# Users read times in their own zone; see mail.time_zone.
COPY --from=build /out/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/curfew /curfew
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp

# Relative paths in curfew.yaml are taken from its own directory, so with the file
# at /curfew.yaml `data: ./data` is /data and `secrets/contoso` is /secrets/contoso:
# the same file works here and outside.
ENV CURFEW_CONFIG=/curfew.yaml ZONEINFO=/zoneinfo.zip
USER 65532:65532
VOLUME /data
EXPOSE 8443
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["/curfew", "health"]
ENTRYPOINT ["/curfew"]
CMD ["run", "--log", "json"]

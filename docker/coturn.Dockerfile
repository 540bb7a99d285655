# coturn as Debian ships it.
# SPDX-License-Identifier: MIT
FROM debian:12-slim
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends coturn && rm -rf /var/lib/apt/lists/*
USER turnserver
ENTRYPOINT ["turnserver", "--log-file=stdout"]

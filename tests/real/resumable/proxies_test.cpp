// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/resumable.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/process.hpp"
#include "support/resumable_server.hpp"
#include "support/temp_dir.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// Resumable uploads through a proxy that knows nothing of them.
namespace waybill::test {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

/// A real nginx in front of a server.
class nginx {
public:
    nginx(std::uint16_t behind, const std::string& settings) : port_(free_port()), process_(start(behind, settings)) {
        process_.wait_for_port(port_);
    }
    [[nodiscard]] std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }

private:
    process start(std::uint16_t behind, const std::string& settings) {
        const std::string tmp = dir_ / "tmp";
        std::filesystem::create_directories(tmp);
        std::string paths;
        for (const char* const what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            paths += std::string(what) + "_temp_path " + tmp + "/" + what + ";\n";
        }
        const std::string conf =
            dir_.write("nginx.conf", "daemon off; master_process off; pid " + tmp + "/pid; error_log " + tmp +
                                         "/error.log;\nevents {}\nhttp { access_log off; client_max_body_size 0;\n" +
                                         paths + "server { listen 127.0.0.1:" + std::to_string(port_) +
                                         ";\nlocation / { proxy_pass http://127.0.0.1:" + std::to_string(behind) +
                                         "; proxy_http_version 1.1; " + settings + " } } }\n");
        command_line what;
        what.argv = {WAYBILL_NGINX, "-c", conf, "-p", tmp, "-e", tmp + "/error.log"};
        what.out_file = dir_ / "out";
        what.err_file = dir_ / "err";
        return process(what);
    }

    temp_dir dir_;
    std::uint16_t port_;
    process process_;
};

}  // namespace

TEST_CASE("an upload that is created first passes a real nginx, whole or broken, buffered or not") {
    const temp_dir dir;
    const std::string settings = GENERATE(as<std::string>(), "", "proxy_request_buffering off;");
    const bool breaks = GENERATE(false, true);
    CAPTURE(settings, breaks);
    resumable_behaviour how;
    how.interim = false;  // nginx 1.22 takes a 104 for the final answer
    if (breaks) {
        how.cuts = {mebibyte, 2 * mebibyte};
    }
    resumable_server server(how);
    const nginx front(server.http().port(), settings);
    const std::string content = random_bytes(8 * mebibyte);
    delivery uploads(quick_options(dir));
    job what(front.url("/posts"));
    what.via(resumable()).file(dir.write("a", content));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(server.violations().empty());
}

TEST_CASE("a proxy's own limit on bodies is learned") {
    const temp_dir dir;
    resumable_behaviour how;
    how.interim = false;
    resumable_server server(how);
    const nginx front(server.http().port(), "client_max_body_size 1m;");
    const std::string content = random_bytes(5 * mebibyte);
    delivery uploads(quick_options(dir));
    job what(front.url("/posts"));
    what.via(resumable()).file(dir.write("a", content));
    const job_snapshot end = uploads.settled(uploads.enqueue(what));
    INFO(describe(end));
    CHECK(end.now == status::completed);
    REQUIRE(server.arrived().size() == 1);
    CHECK(server.arrived()[0].body == content);
    CHECK(server.violations().empty());
}

}  // namespace waybill::test

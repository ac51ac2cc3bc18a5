// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/multipart.hpp>

#include "support/catch.hpp"
#include "support/delivery.hpp"
#include "support/environment.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"
#include "support/transport_loop.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>

// Bytes and secrets go where the job says, and nowhere else.
namespace waybill::test {
namespace {

std::set<int> open_descriptors() {
    std::set<int> all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        all.insert(std::stoi(entry.path().filename().string()));
    }
    return all;
}

std::error_code transport_error(const request& what, curl_options how = {}) {
    transport_loop loop(std::move(how));
    return loop.start(what, std::string("x")).error();
}

}  // namespace

TEST_CASE("no password file of the user's is read") {
    const temp_dir home;
    http_server server;
    home.write(".netrc", "machine 127.0.0.1 login me password hunter2\n");
    const environment_variable variable("HOME", home.path().string());
    transport_loop loop;
    CHECK(loop.perform(put_to(server.url()), "x").status == 201);
    CHECK_FALSE(server.requests().at(0).has_header("Authorization"));
}

TEST_CASE("a server's cookies are not sent back") {
    http_server server;
    server.otherwise([](const received_request&) { return reply(200, {{"Set-Cookie", "session=hunter2; Path=/"}}); });
    transport_loop loop;
    for (int i = 0; i < 2; ++i) {
        CHECK(loop.perform(put_to(server.url()), "x").status == 200);
    }
    CHECK(server.log().connections() == 1);
    CHECK_FALSE(server.requests().at(1).has_header("Cookie"));
}

TEST_CASE("a server's challenge is not answered by libcurl") {
    http_server server;
    server.otherwise([](const received_request&) { return reply(401, {{"WWW-Authenticate", "Basic realm=\"x\""}}); });
    transport_loop loop;
    request what = put_to(server.url());
    what.headers.push_back({"Authorization", "Bearer mine"});
    CHECK(loop.perform(what, "x").status == 401);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a compressed answer is not decompressed") {
    // 1 KiB of gzip that would be 1 MiB.
    std::string bomb("\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03", 10);
    bomb.append(1000, '\0');
    http_server server;
    server.otherwise([bomb](const received_request&) { return reply(200, {{"Content-Encoding", "gzip"}}, bomb); });
    transport_loop loop;
    const response answer = loop.perform(put_to(server.url()), "x");
    CHECK(answer.status == 200);
    CHECK((answer.body == bomb));
    CHECK_FALSE(server.requests().at(0).has_header("Accept-Encoding"));
}

TEST_CASE("only http and https leave the transport, whoever asks for something else") {
    const temp_dir dir;
    const std::string file = dir.write("secret", "hunter2");
    const std::string target =
        GENERATE_COPY("file://" + file, std::string("ftp://127.0.0.1/x"), std::string("gopher://127.0.0.1/x"),
                      std::string("scp://127.0.0.1/x"), std::string("dict://127.0.0.1/x"));
    CAPTURE(target);
    transport_loop loop;
    const response answer = loop.perform(put_to(target), "x");
    CHECK(answer.failure == errc::unsupported_scheme);
    CHECK(answer.status == 0);
    CHECK(read_file(file) == "hunter2");
}

TEST_CASE("what comes from a credentials provider, a protocol or an option cannot break out of its line") {
    http_server server;
    request what = put_to(server.url());
    const std::string broken = GENERATE(as<std::string>(), "a\r\nInjected: yes", "a\nInjected: yes", "a\rInjected: yes",
                                        std::string("a\0b", 3), "a\x7F");
    SECTION("as a header's value") {
        what.headers.push_back({"X-Token", broken});
        CHECK(transport_error(what) == errc::invalid_header);
    }
    SECTION("as a header's name") {
        what.headers.push_back({broken, "value"});
        CHECK(transport_error(what) == errc::invalid_header);
    }
    SECTION("as the method") {
        what.method = broken;
        CHECK(transport_error(what) == errc::invalid_header);
    }
    SECTION("as the user agent") {
        curl_options how;
        how.user_agent = broken;
        CHECK(transport_error(what, how) == errc::invalid_header);
    }
    CHECK(server.log().connections() == 0);
}

TEST_CASE("credentials with a line break hold the job up by name, and are not repeated") {
    const temp_dir dir;
    http_server server;
    options how = quick_options(dir);
    how.credentials = [](const std::string&) { return header_list{{"Authorization", "Bearer hunter2\n"}}; };
    delivery uploads(how);
    job what(server.url("/x"));
    what.bytes("x", "content");
    const job_snapshot done = uploads.waiting(uploads.enqueue(what));
    CHECK(done.status == status::waiting);
    CHECK(done.reason == wait_reason::credentials);
    CHECK(done.error.code == errc::invalid_header);
    CHECK_THAT(done.error.message(), Catch::Contains("Authorization") && !Catch::Contains("hunter2"));
    CHECK(server.log().connections() == 0);
}

TEST_CASE("neither the body nor a secret follows a redirect out of https") {
    const temp_dir dir;
    certificate_authority authority;
    http_server_options with_tls;
    with_tls.tls = authority.issue();
    http_server server(with_tls);
    http_server plain;
    server.next(script("downgrade").read_all().answer({307, {{"Location", plain.url("/x")}}}));
    options how = quick_options(dir);
    how.http = trusting(authority);
    how.credentials = [](const std::string&) { return header_list{{"X-Api-Key", "hunter2"}}; };
    delivery uploads(how);
    job what(server.url("/x"));
    what.bytes("x", "content");
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    CHECK(done.error.code == errc::redirect_refused);
    CHECK(server.requests().at(0).header("X-Api-Key") == "hunter2");
    CHECK(plain.log().connections() == 0);
}

TEST_CASE("a program that the app starts inherits nothing of ours, not even in mid-transfer") {
    const temp_dir dir;
    http_server server(reads_little());
    const std::set<int> before = open_descriptors();
    delivery uploads(quick_options(dir));
    const valve go;
    server.next(script("slow").read_body(1000).hold(go));
    job what(server.url("/x", "localhost"));
    what.file(dir.write("big", std::string(beyond_buffers, 'x')));
    const job_id id = uploads.enqueue(what);
    server.wait_for_body(1, 1000);
    int checked = 0;
    for (const int fd : open_descriptors()) {
        const int flags = before.contains(fd) ? FD_CLOEXEC : ::fcntl(fd, F_GETFD);
        sockaddr_storage name{};
        socklen_t length = sizeof name;
        const bool pair =
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length) == 0 && name.ss_family == AF_UNIX;
        if (flags == -1 || pair) {
            continue;  // the directory that was just listed; libcurl's own bell, which leads nowhere
        }
        std::error_code ignored;
        INFO("descriptor " << fd << ": "
                           << std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored));
        CHECK((flags & FD_CLOEXEC) != 0);
        checked += before.contains(fd) ? 0 : 1;
    }
    CHECK(checked >= 5);  // the loop, the store and its lock, the file, sockets
    go.open();
    CHECK(uploads.settled(id).status == status::completed);
}

}  // namespace waybill::test

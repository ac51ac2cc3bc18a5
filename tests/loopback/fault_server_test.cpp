// SPDX-License-Identifier: BSL-1.0
#include "support/catch.hpp"
#include "support/http_server.hpp"
#include "support/temp_dir.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

// The server the other tests rely on, looked at from a bare socket.
namespace waybill::test {
namespace {

class bare_client {
public:
    explicit bare_client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval patience{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    }
    bare_client(const bare_client&) = delete;
    bare_client& operator=(const bare_client&) = delete;
    ~bare_client() { ::close(fd_); }

    void send(std::string_view bytes) {
        REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
    }

    /// Everything until `end` has come, or the server closes.
    std::string read_until(std::string_view end) {
        std::string text;
        std::array<char, 1024> piece;
        while (end.empty() || text.find(end) == std::string::npos) {
            const ssize_t count = ::recv(fd_, piece.data(), piece.size(), 0);
            error_ = count < 0 ? errno : 0;
            if (count <= 0) {
                break;
            }
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
        return text;
    }

    std::string read_to_end() { return read_until(""); }
    [[nodiscard]] bool was_reset() const noexcept { return error_ == ECONNRESET; }

private:
    int fd_;
    int error_ = 0;
};

constexpr std::string_view empty_answer = "Content-Length: 0\r\n\r\n";

}  // namespace

TEST_CASE("the fault server records requests and tells kept connections from new ones") {
    http_server server;
    bare_client first(server.port());
    first.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(first.read_until(empty_answer).starts_with("HTTP/1.1 201 "));
    first.send("POST /b HTTP/1.1\r\nHost: x\r\nX-Two:  words \r\nContent-Length: 0\r\n\r\n");
    CHECK(first.read_until(empty_answer).starts_with("HTTP/1.1 200 "));
    bare_client second(server.port());
    second.send("DELETE /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(second.read_to_end().starts_with("HTTP/1.1 200 "));

    const auto seen = server.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].method == "PUT");
    CHECK(seen[0].target == "/a");
    CHECK(seen[0].body == "hello");
    CHECK(seen[0].complete);
    CHECK(seen[0].connection == 1);
    CHECK(seen[0].on_connection == 1);
    CHECK(server.finished(1).sha256 == sha256("hello"));
    CHECK(seen[1].connection == 1);
    CHECK(seen[1].on_connection == 2);
    CHECK(seen[1].header("x-two") == "words");
    CHECK(seen[2].connection == 2);
    CHECK(server.log().connections() == 2);
}

TEST_CASE("the fault server takes chunked bodies apart") {
    http_server server;
    bare_client client(server.port());
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("4;name=value\r\nabcd\r\nB\r\nefghijklmno\r\n0\r\nTrailer: x\r\n\r\n");
    client.read_until(empty_answer);
    const received_request seen = server.finished(1);
    CHECK(seen.chunked);
    CHECK(seen.body == "abcdefghijklmno");
    CHECK(seen.complete);
}

TEST_CASE("the fault server takes no byte beyond what a script asks for") {
    http_server server;
    const valve go;
    std::size_t unread = 0;
    server.next(script("stall").read_body(3).hold(go).then([&](exchange& x) { unread = x.wire().unread(); }));
    bare_client client(server.port());
    client.send("PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789");
    server.wait_for_body(1, 3);
    CHECK(server.requests().at(0).body == "012");
    CHECK_FALSE(server.requests().at(0).complete);
    go.open();
    client.read_until(empty_answer);
    CHECK(unread == 7);
    CHECK(server.finished(1).body == "0123456789");
}

TEST_CASE("the fault server ends connections in the way a script says") {
    http_server server;
    const std::string head = "PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\n";

    SECTION("at once") {
        server.next(script("close").at_accept().close());
        bare_client client(server.port());
        CHECK(client.read_to_end().empty());
        CHECK_FALSE(client.was_reset());
    }
    SECTION("by a reset after some bytes") {
        server.next(script("reset").read_body(4).reset());
        bare_client client(server.port());
        client.send(head + "0123456789");
        CHECK(client.read_to_end().empty());
        CHECK(client.was_reset());
        CHECK(server.finished(1).body_bytes == 4);
    }
    SECTION("after everything, without an answer") {
        server.next(script("mute").read_all().close());
        bare_client client(server.port());
        client.send(head + "0123456789");
        CHECK(client.read_to_end().empty());
        CHECK_FALSE(client.was_reset());
        CHECK(server.finished(1).complete);
    }
    SECTION("after an answer the client surely gets") {
        server.next(script("early").read_head().answer({413}).linger());
        {
            bare_client client(server.port());
            client.send(head + "01");
            CHECK(client.read_to_end().starts_with("HTTP/1.1 413 "));
            CHECK_FALSE(client.was_reset());
        }
        CHECK_FALSE(server.finished(1).complete);
    }
}

TEST_CASE("the fault server keeps a connection whose request it answered early") {
    http_server server;
    server.next(script("early").read_head().answer({413, {{"X-Why", "size"}}, "no"}));
    bare_client client(server.port());
    client.send("PUT /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n01234");
    CHECK(client.read_until("\r\n\r\nno").find("X-Why: size\r\n") != std::string::npos);
    client.send("56789PUT /b HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    CHECK(client.read_until(empty_answer).starts_with("HTTP/1.1 201 "));
    REQUIRE(server.requests().size() == 2);
    CHECK(server.requests()[0].body == "0123456789");
    CHECK(server.requests()[1].target == "/b");
    CHECK(server.requests()[1].connection == 1);
}

TEST_CASE("a script with a condition waits for its request") {
    http_server server;
    server.next(script("no patch").only_for("PATCH").answer({409}));
    server.next(script("first come").answer({299}));
    const auto ask = [&](const std::string& method) {
        bare_client client(server.port());
        client.send(method + " / HTTP/1.1\r\nConnection: close\r\n\r\n");
        return client.read_to_end().substr(9, 3);
    };
    CHECK(ask("POST") == "299");
    CHECK(ask("POST") == "200");
    CHECK(ask("PATCH") == "409");
    CHECK(server.scripts_left() == 0);
}

TEST_CASE("the fault server's default answer can be the test's own") {
    http_server server;
    server.otherwise([count = 0](const received_request& r) mutable {
        return reply(200, {{"X-Count", std::to_string(++count)}}, "you sent " + r.body);
    });
    bare_client client(server.port());
    for (const std::string number : {"1", "2"}) {
        client.send("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n" + number);
        const std::string answer = client.read_until("you sent " + number);
        CHECK(answer.find("X-Count: " + number) != std::string::npos);
    }
}

TEST_CASE("what is no request is recorded as such and ends the connection") {
    http_server server;
    bare_client client(server.port());
    client.send("PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd\r\n\r\n");
    client.read_to_end();
    const auto seen = server.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].body == "abc");
    CHECK_FALSE(seen[1].well_formed);
    CHECK(seen[1].head == "d\r\n\r\n");
}

TEST_CASE("a stopping server leaves no stalled connection behind") {
    std::vector<std::string> answers;
    {
        http_server server;
        server.next(script("never").read_all().hold());
        server.next(script("shut").hold(valve()));
        bare_client first(server.port());
        first.send("PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
        bare_client second(server.port());
        second.send("PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
        server.log().wait_until("both", [](const http_log::requests& all) { return all.size() == 2; });
    }  // hangs here if a connection does not notice
    SUCCEED();
}

}  // namespace waybill::test

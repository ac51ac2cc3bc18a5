// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/s3.hpp>

#include "real/s3/swift_server.hpp"
#include "support/catch.hpp"
#include "support/delivery.hpp"

#include <asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <string>

// Whole jobs to a real server of S3, read back by another client of it.
namespace waybill::test {
namespace {

constexpr std::size_t mib = 1 << 20;

/// One for all tests of this program: it takes seconds to come up.
swift_server& swift() {
    static swift_server server;
    return server;
}

options with_keys(const temp_dir& dir, const std::string& secret = swift_server::secret_key) {
    options how = quick_options(dir);
    how.protocols.add(s3_with([secret](const std::string&, const std::string&) {
        return std::optional(s3_credentials{swift_server::access_key, secret, ""});
    }));
    return how;
}

s3 small_parts() {
    return s3{}.part_size(5 * mib).parallel(3);
}

/// A clock that is wrong.
class wrong_clock final : public clock {
public:
    [[nodiscard]] std::chrono::system_clock::time_point system_now() const noexcept override {
        return right_.system_now() + std::chrono::minutes(20);
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const noexcept override {
        return right_.steady_now();
    }
    [[nodiscard]] std::unique_ptr<alarm> make_alarm(const asio::any_io_executor& executor) override {
        return right_.make_alarm(executor);
    }

private:
    real_clock right_;
};

}  // namespace

TEST_CASE("Swift gets objects of every size, and gives them to another client", "[s3]") {
    const temp_dir dir;
    delivery uploads(with_keys(dir));
    const std::vector<std::pair<std::string, std::string>> files = {
        {"empty", ""},
        {"one part.bin", random_bytes(5 * mib, 1)},
        {"one byte more", random_bytes(5 * mib + 1, 2)},
        {"a+b \xC3\xA9~(1).bin", random_bytes(23 * mib, 3)}};
    job what(swift().url("/bucket/sizes/"));
    what.via(small_parts()).field("album", "Istanbul");
    for (const auto& [name, content] : files) {
        what.file(dir.write(name, content));
    }
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    REQUIRE(done.status == status::completed);
    for (const auto& [name, content] : files) {
        CAPTURE(name);
        CHECK((swift().read("sizes/" + name) == content));
        CHECK_THAT(swift().s3cmd({"info", "s3://bucket/sizes/" + name}), Catch::Contains("x-amz-meta-album: Istanbul"));
    }
}

TEST_CASE("an upload to Swift goes on in the next process", "[s3]") {
    const temp_dir dir;
    const std::string content = random_bytes(60 * mib, 4);
    job what(swift().url("/bucket/resumed"));
    what.via(small_parts().parallel(1)).file(dir.write("resumed", content));
    auto uploads = std::make_unique<delivery>(with_keys(dir));
    const job_id id = uploads->enqueue(what);
    uploads->wait_until(id, [](const job_snapshot& j) { return j.confirmed >= 10 * mib; });
    uploads->stop();
    CHECK_THAT(swift().s3cmd({"multipart", "s3://bucket"}), Catch::Contains("s3://bucket/resumed"));

    uploads = std::make_unique<delivery>(with_keys(dir));
    const job_snapshot taken_up = uploads->wait_until(id, [](const job_snapshot& j) { return j.attempt == 2; });
    CHECK(taken_up.confirmed >= 10 * mib);
    const job_snapshot done = uploads->settled(id);
    INFO(describe(done));
    REQUIRE(done.status == status::completed);
    CHECK((swift().read("resumed") == content));
    CHECK_THAT(swift().s3cmd({"multipart", "s3://bucket"}), !Catch::Contains("s3://bucket/resumed"));
}

TEST_CASE("a canceled upload leaves nothing at Swift", "[s3]") {
    const temp_dir dir;
    job what(swift().url("/bucket/canceled"));
    what.via(small_parts()).file(dir.write("canceled", random_bytes(60 * mib, 5)));
    delivery uploads(with_keys(dir));
    const job_id id = uploads.enqueue(what);
    uploads.wait_until(id, [](const job_snapshot& j) { return j.confirmed >= 5 * mib; });
    uploads.up().async_cancel(id, asio::use_future).get();
    const auto until = std::chrono::steady_clock::now() + delivery::patience;
    std::string left;
    do {
        left = swift().s3cmd({"multipart", "s3://bucket"});
    } while (left.find("s3://bucket/canceled") != std::string::npos && std::chrono::steady_clock::now() < until);
    CHECK_THAT(left, !Catch::Contains("s3://bucket/canceled"));
    CHECK_THAT(swift().s3cmd({"ls", "s3://bucket/"}), !Catch::Contains("canceled"));
}

TEST_CASE("Swift's words about a wrong key reach the app", "[s3]") {
    const temp_dir dir;
    delivery uploads(with_keys(dir, "wrong"));
    job what(swift().url("/bucket/refused"));
    what.via(s3{}).bytes("refused", "x");
    const job_snapshot waiting = uploads.waiting(uploads.enqueue(what));
    CHECK(waiting.reason == wait_reason::credentials);
    CHECK(waiting.error.code == make_http_error(403));
    CHECK_THAT(waiting.error.message(), Catch::Contains("SignatureDoesNotMatch"));
}

TEST_CASE("a wrong clock and a wrong region are put right by what Swift says", "[s3]") {
    const temp_dir dir;
    options how = with_keys(dir);
    how.replace.clock = std::make_shared<wrong_clock>();
    delivery uploads(how);
    const std::string content = random_bytes(11 * mib, 6);
    job what(swift().url("/bucket/corrected"));
    what.via(small_parts().region("eu-central-1")).file(dir.write("corrected", content));
    const job_snapshot done = uploads.settled(uploads.enqueue(what));
    INFO(describe(done));
    REQUIRE(done.status == status::completed);
    CHECK(done.attempt == 1);
    CHECK((swift().read("corrected") == content));
}

}  // namespace waybill::test

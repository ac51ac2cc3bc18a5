// SPDX-License-Identifier: BSL-1.0
//
// What you learn: to test your app's own work around its uploads through a crash at every moment that counts. A diary
// posts what its user wrote, and then tells the user so. It is killed around every commit, and started again.
//
// Run: testing_your_app       Expect: "0 complaints", then what goes wrong when the posts have no ids.

#include <waybill/testing/crash_runner.hpp>
#include <waybill/waybill.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>

namespace testing = waybill::testing;

//[workflow
/// The app. Its members are what it keeps on its own disk; `start` is what it does when it is started.
class diary : public testing::workflow {
public:
    explicit diary(bool names_its_posts) : names_its_posts_(names_its_posts) {}

    void prepare(testing::surroundings& around) override {
        around.files->write("/monday", std::string(3000, 'm'));
        around.files->write("/tuesday", std::string(2000, 't'));
        around.server.honours_keys = true;
        around.server.next(testing::fault{testing::fault::kind::cut, 500});          // a bad network,
        around.server.next(testing::fake_transport::respond(503));                   // a busy server,
        around.server.next(testing::fault{testing::fault::kind::response_lost, 0});  // a lost response
    }

    void start(testing::process& app) override {
        for (auto& [day, published] : published_) {
            if (!published) {
                asio::co_spawn(app.context(), publish(app.up(), day, published), asio::detached);
            }
        }
    }

    std::string check(const testing::surroundings& around) override {
        const bool all_notified = published_["monday"] && published_["tuesday"];
        return !all_notified                       ? "the user was not notified"
               : around.server.posts().size() == 2 ? ""
                                                   : std::to_string(around.server.posts().size()) + " posts, not 2";
    }

private:
    asio::awaitable<void> publish(waybill::uploader& up, std::string day, bool& published) {
        waybill::job post("https://diary.test/entries");
        post.via(waybill::multipart{}).if_unknown(waybill::on_unknown::retry_same_key).file("/" + day);
        if (names_its_posts_) {
            post.id(waybill::job_id(day));  // after a crash it is the same job, not another one
        }
        const waybill::job_id id = co_await up.async_enqueue(std::move(post));
        const waybill::job_snapshot end = co_await up.async_wait(id);
        published = end.status == waybill::status::completed;
    }

    bool names_its_posts_;
    std::map<std::string, bool> published_ = {{"monday", false}, {"tuesday", false}};
};
//]

int main() {
    //[test
    const auto good = testing::crash_everywhere([] { return std::make_unique<diary>(true); });
    std::cout << good.crashes << " crashes around " << good.commits << " commits: " << good.complaints.size()
              << " complaints\n";
    // A test that cannot fail tests nothing: a diary that loses what it posted must be detected.
    const auto bad = testing::crash_everywhere([] { return std::make_unique<diary>(false); });
    std::cout << "without names: " << (bad.complaints.empty() ? "nothing found" : bad.complaints.front()) << "\n";
    const bool passed = good.crashes > 0 && good.complaints.empty() && !bad.complaints.empty();
    //]
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

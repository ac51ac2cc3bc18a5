// SPDX-License-Identifier: BSL-1.0
//
// Works on a store, once with tus and once without: what becomes of a job whose component is not there?
//   program begin|go_on|retry STORE FILE
#if defined(WITH_TUS)
#include <waybill/protocol/tus.hpp>
#endif
#include <waybill/protocol/multipart.hpp>
#include <waybill/testing/fake_transport.hpp>
#include <waybill/uploader.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <string>

namespace {

using waybill::testing::fake_transport;
using waybill::testing::received_request;

/// One upload at a server of tus, which has the first thousand bytes of it.
waybill::response serve(const received_request& r) {
    waybill::response answer = fake_transport::respond(r.method == "POST" ? 201 : r.method == "HEAD" ? 200 : 204);
    answer.headers.push_back({"Tus-Resumable", "1.0.0"});
    if (r.method == "POST") {
        answer.headers.push_back({"Location", "http://tus.test/files/1"});
    } else if (r.method == "HEAD") {
        answer.headers.push_back({"Upload-Offset", "1000"});
        answer.headers.push_back({"Upload-Length", "3000"});
    } else if (r.whole) {
        const std::string begin = r.header("Upload-Offset");
        std::cout << "sent from " << begin << "\n";
        answer.headers.push_back({"Upload-Offset", std::to_string(std::stoul(begin) + r.body.size())});
    }
    return answer;
}

asio::awaitable<void> work(waybill::uploader& up, std::string step, [[maybe_unused]] std::string file) {
    const waybill::job_id id("one");
    if (step == "begin") {
#if defined(WITH_TUS)
        waybill::job what("http://tus.test/files");
        what.id(id).via(waybill::tus{}).file(file);
        co_await up.async_enqueue(std::move(what));
#endif
    } else if (step == "retry") {
        co_await up.async_retry(id);
    }
    up.async_run(asio::detached);
    waybill::feed feed = up.snapshots();
    while (const auto now = co_await feed.async_next()) {
        const auto shown = now->find(id);
        const bool broken = step == "begin" && shown && shown->status == waybill::status::waiting;
        if (broken || (shown && is_terminal(shown->status))) {
            std::cout << to_string(shown->status) << " " << shown->error.message() << "\n";
            break;
        }
    }
    co_await up.async_stop();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        return 2;
    }
    asio::io_context context;
    waybill::options how;
    how.store.path = argv[2];
    const auto way = std::make_shared<fake_transport>(context.get_executor(), &serve);
    way->next_fault = [step = std::string(argv[1])](const waybill::request& what) {
        const bool cut = step == "begin" && what.method == "PATCH";
        return cut ? waybill::testing::fault{waybill::testing::fault::kind::cut, 1000} : waybill::testing::fault();
    };
    how.replace.transport = way;
    waybill::uploader up(context.get_executor(), how);
    int result = 0;
    asio::co_spawn(context, work(up, argv[1], argv[3]), [&](const std::exception_ptr& thrown) {
        try {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
        } catch (const std::exception& e) {
            std::cout << e.what() << "\n";
            result = 1;
        }
    });
    context.run();
    return result;
}

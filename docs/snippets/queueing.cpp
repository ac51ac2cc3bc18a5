// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/queueing.md, compiled.

#include <waybill/waybill.hpp>

#include <chrono>

namespace {

[[maybe_unused]] asio::awaitable<void> rest(waybill::uploader up, waybill::job_id id) {
    //[pause
    waybill::pause_options meeting;
    meeting.lasting(std::chrono::hours(1)).why("until the meeting is over");
    co_await up.async_pause(id, meeting);
    //]
    //[pause-lane
    co_await up.async_pause(waybill::selection::lane("photos"), waybill::pause_options().why("roaming"));
    // …
    co_await up.async_resume(waybill::selection::lane("photos"));
    //]
}

}  // namespace

int main() {
    //[items
    waybill::job post("https://api.example.com/posts");
    post.via(waybill::multipart{})
        .id(waybill::job_id("post-4711"))           // yours; without it the library makes one
        .field("caption", "Istanbul")               // form fields, before the items
        .header("X-App-Version", "3.2")             // stored with the job: no secrets
        .file("a.jpg")                              // a whole file
        .range("recording.wav", 0, 1'000'000)       // a byte range of a file
        .bytes("meta.json", R"({"tags":["sea"]})")  // bytes, kept in the store, at most 4 MiB
        .add(waybill::item::file("/tmp/x81.tmp").name("b.jpg").field("photo").content_type("image/jpeg"));
    //]
    waybill::options options;
    //[lanes
    waybill::job log("https://logs.example.com/today");
    log.lane("logs").file("app.log");  // does not wait for photos

    options.max_concurrent_jobs = 4;  // lanes that may run at the same time
    //]
}

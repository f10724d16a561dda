#include "messages.h"

#include <cstddef>
#include <cstring>

namespace sustain {

unsigned char* RequestReader::space(std::size_t room) {
  if (start_ > 0) {
    std::memmove(held_.data(), held_.data() + start_, end_ - start_);
    end_ -= start_;
    start_ = 0;
  }
  if (held_.size() < end_ + room) held_.resize(end_ + room);
  return held_.data() + end_;
}

bool RequestReader::next(Request& request) {
  if (broken_ || end_ - start_ < sizeof request.head) return false;
  std::memcpy(&request.head, held_.data() + start_, sizeof request.head);
  const auto& [kind, stream, bytes] = request.head;
  if (kind < requests::kOpen || kind > requests::kGoOn || bytes > kMostRequestBytes) {
    broken_ = true;
    return false;
  }
  if (end_ - start_ - sizeof request.head < bytes) return false;
  request.body = held_.data() + start_ + sizeof request.head;
  start_ += sizeof request.head + bytes;
  return true;
}

void AnswerQueue::push(std::uint32_t kind, std::uint32_t stream, const void* body, std::size_t bytes) {
  // Only what waits is kept, however long some of it always does.
  if (start_ > held_.size() / 2) {
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  const MessageHead head{kind, stream, static_cast<std::uint32_t>(bytes)};
  const auto* from = reinterpret_cast<const unsigned char*>(&head);
  held_.insert(held_.end(), from, from + sizeof head);
  const auto* content = static_cast<const unsigned char*>(body);
  held_.insert(held_.end(), content, content + bytes);
}

void AnswerQueue::written(std::size_t bytes) {
  start_ += bytes;
  if (start_ < held_.size()) return;
  held_.clear();
  start_ = 0;
}

}  // namespace sustain

/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping the memory that is shared with the engine, and copying pictures to and from it. */
#include "context.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct plane_size {
    size_t width, height; /* width in bytes */
} plane_size;

static plane_size size_of_plane(const gvc_format *format, int plane) {
    int samples = format->sample_format;
    bool halved = plane && (samples == GVC_SAMPLES_YUV420P || samples == GVC_SAMPLES_YUV420P10);
    size_t width = (size_t)format->width, height = (size_t)format->height;
    size_t bytes = samples >= GVC_SAMPLES_YUV420P10 ? 2 : 1;
    return halved ? (plane_size){(width + 1) / 2 * bytes, (height + 1) / 2} : (plane_size){width * bytes, height};
}

static uint64_t picture_bytes(const gvc_format *format) {
    plane_size luma = size_of_plane(format, 0), chroma = size_of_plane(format, 1);
    return (uint64_t)luma.width * luma.height + 2 * (uint64_t)chroma.width * chroma.height;
}

int gvc_slots_map(gvc_context *context, int memory) {
    uint64_t bytes = GVC_SLOTS * picture_bytes(&context->format);
    gvc_slots_unmap(context);
    if (bytes > SIZE_MAX || bytes > INT64_MAX)
        return gvc_break(context, GVC_ERROR_MEMORY, "pictures of %dx%d do not fit into the address space",
                         context->format.width, context->format.height);
    struct stat status;
    if (context->role == GVC_ENCODER && ftruncate(memory, (off_t)bytes))
        return gvc_break(context, GVC_ERROR_MEMORY, "no shared memory for pictures of %dx%d: %s", context->format.width,
                         context->format.height, strerror(errno));
    /* Access beyond the end would raise SIGBUS. The size is checked once, as the memory is sealed against shrinking. */
    if (fstat(memory, &status) || (uint64_t)status.st_size < bytes)
        return gvc_break(context, GVC_ERROR_ENGINE, "the engine's shared memory is too small for pictures of %dx%d",
                         context->format.width, context->format.height);
    void *slots = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (slots == MAP_FAILED)
        return gvc_break(context, GVC_ERROR_MEMORY, "the shared memory cannot be mapped: %s", strerror(errno));
    context->slots = slots;
    context->mapped = (size_t)bytes;
    return GVC_OK;
}

void gvc_slots_unmap(gvc_context *context) {
    if (context->slots)
        munmap(context->slots, context->mapped);
    context->slots = NULL;
    context->mapped = 0;
}

int gvc_slots_reformat(gvc_context *context, const gvc_reply *reply) {
    gvc_format format;
    memcpy(&format, reply->payload, sizeof format);
    if (format.width < 1 || format.width > GVC_MAX_DIMENSION || format.height < 1 ||
        format.height > GVC_MAX_DIMENSION || format.sample_format < GVC_SAMPLES_YUV420P ||
        format.sample_format > GVC_SAMPLES_GBRP10)
        return gvc_unexpected(context, &reply->message);
    format.time_base_num = context->format.time_base_num; /* streams hold no time base, so the caller's stays */
    format.time_base_den = context->format.time_base_den;
    context->format = format;
    return gvc_slots_map(context, reply->memory);
}

/** Split pixels of RGB24 into the planes G, B, R. */
static void write_packed(uint8_t *target, const gvc_format *format, const gvc_picture *picture) {
    static const int place[3] = {1, 2, 0};
    const size_t width = (size_t)format->width, height = (size_t)format->height;
    for (int plane = 0; plane < 3; plane++) {
        const uint8_t *source = picture->data[0] + place[plane];
        for (size_t y = 0; y < height; y++, target += width, source += picture->stride[0])
            for (size_t x = 0; x < width; x++)
                target[x] = source[3 * x];
    }
}

void gvc_slot_write(gvc_context *context, uint32_t slot, const gvc_picture *picture) {
    uint8_t *target = context->slots + slot * (context->mapped / GVC_SLOTS);
    if (context->packed) {
        write_packed(target, &context->format, picture);
        return;
    }
    for (int plane = 0; plane < 3; plane++) {
        plane_size size = size_of_plane(&context->format, plane);
        const uint8_t *source = picture->data[plane];
        for (size_t y = 0; y < size.height; y++, target += size.width, source += picture->stride[plane])
            memcpy(target, source, size.width);
    }
}

void gvc_slot_read(const gvc_context *context, uint32_t slot, const gvc_picture *picture) {
    const uint8_t *source = context->slots + slot * (context->mapped / GVC_SLOTS);
    for (int plane = 0; plane < 3; plane++) {
        plane_size size = size_of_plane(&context->format, plane);
        uint8_t *target = picture->data[plane];
        for (size_t y = 0; y < size.height; y++, source += size.width, target += picture->stride[plane])
            memcpy(target, source, size.width);
    }
}

/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/** AVOptions of the codec, from the table in gvc/options.py. */
#define _GNU_SOURCE
#include "codec.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INT_ROW(name, value, low, high, help) {#name, help, OPTION_INT, value, NULL, low, high},
#define DOUBLE_ROW(name, value, low, high, help) {#name, help, OPTION_DOUBLE, value, NULL, low, high},
#define STRING_ROW(name, value, help) {#name, help, OPTION_STRING, 0, value, 0, 0},
#define PARAMS_ROW                                                                                                     \
    { "gvc-params", "list of options, key=value:key=value; overrides the other options", OPTION_STRING, 0, "", 0, 0 }

static const struct option_row encoder_rows[] = {GVC_ENCODER_OPTIONS(INT_ROW, DOUBLE_ROW, STRING_ROW) PARAMS_ROW};
static const struct option_row decoder_rows[] = {GVC_DECODER_OPTIONS(INT_ROW, DOUBLE_ROW, STRING_ROW) PARAMS_ROW};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
_Static_assert(COUNT(encoder_rows) <= MAX_OPTIONS && COUNT(decoder_rows) <= MAX_OPTIONS,
               "codec_state has too little room for the option values");

static const struct option_row *rows_of(enum role role, size_t *count) {
    *count = role == ENCODER ? COUNT(encoder_rows) : COUNT(decoder_rows);
    return role == ENCODER ? encoder_rows : decoder_rows;
}

static void fill_option(const struct layout *l, char *option, const struct option_row *row, size_t index, int flags) {
    FIELD(const char *, option, l->option_name) = row->name;
    FIELD(const char *, option, l->option_help) = row->help;
    FIELD(int, option, l->option_offset) =
        (int)(offsetof(struct codec_state, options) + index * sizeof(union option_value));
    FIELD(int, option, l->option_flags) = flags;
    FIELD(double, option, l->option_min) = row->low;
    FIELD(double, option, l->option_max) = row->high;
    switch (row->kind) {
    case OPTION_INT:
        FIELD(int, option, l->option_type) = l->type_int64;
        FIELD(int64_t, option, l->option_default) = (int64_t)row->number;
        break;
    case OPTION_DOUBLE:
        FIELD(int, option, l->option_type) = l->type_double;
        FIELD(double, option, l->option_default) = row->number;
        break;
    case OPTION_STRING:
        FIELD(int, option, l->option_type) = l->type_string;
        FIELD(const char *, option, l->option_default) = row->text;
        break;
    }
}

const void *make_option_class(const struct host *host, enum role role) {
    const struct layout *l = host->layout;
    size_t count;
    const struct option_row *rows = rows_of(role, &count);
    char *options = calloc(count + 1, (size_t)l->option_size); // an option of zeros ends the list
    char *option_class = calloc(1, (size_t)l->class_size);
    if (!options || !option_class) {
        free(options);
        free(option_class);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        fill_option(l, options + i * (size_t)l->option_size, &rows[i], i,
                    role == ENCODER ? l->option_flags_encoder : l->option_flags_decoder);
    FIELD(const char *, option_class, l->class_name) = role == ENCODER ? "gvc encoder" : "gvc decoder";
    *(void **)(option_class + l->class_item_name) = *(void **)&host->call.av_default_item_name;
    FIELD(const void *, option_class, l->class_option) = options;
    FIELD(unsigned, option_class, l->class_version) = host->call.avutil_version();
    return option_class;
}

/** Append `:key=value` unless the value is the default. */
static void print_option(FILE *out, const struct option_row *row, const union option_value *value) {
    switch (row->kind) {
    case OPTION_INT:
        if (value->integer != (int64_t)row->number)
            fprintf(out, ":%s=%lld", row->name, (long long)value->integer);
        break;
    case OPTION_DOUBLE:
        if (value->number != row->number)
            fprintf(out, ":%s=%.15g", row->name, value->number);
        break;
    case OPTION_STRING:
        if (!value->text || !strcmp(value->text, row->text))
            break;
        fprintf(out, ":%s=", row->name);
        for (const char *c = value->text; *c; c++)
            fprintf(out, *c == ':' || *c == '\\' ? "\\%c" : "%c", *c);
        break;
    }
}

char *options_text(const struct codec_state *state, enum role role, const char *standard) {
    size_t count, size = 0;
    const struct option_row *rows = rows_of(role, &count);
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    // Numbers need a decimal point, whatever locale the program has set.
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), previous = plain ? uselocale(plain) : (locale_t)0;
    if (*standard)
        fprintf(out, ":%s", standard);
    for (size_t i = 0; i < count - 1; i++)
        print_option(out, &rows[i], &state->options[i]);
    const char *params = state->options[count - 1].text;
    if (params && *params)
        fprintf(out, ":%s", params);
    if (plain) {
        uselocale(previous);
        freelocale(plain);
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    if (size) // drop the leading colon
        memmove(text, text + 1, size);
    return text;
}

"""A plain PyTorch loop of the model that `crates/train/examples/throughput.rs` times: the same sequences, the same
batch, fused AdamW, clipping. `model.py training|generation SECONDS [plain|transformers]` prints tokens per second."""

import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

LAYERS, WIDTH, HEADS, FEED_FORWARD, VOCABULARY, CONTEXT = 2, 64, 4, 256, 100, 64
ROWS, NEW_TOKENS, THREADS = 128, 8, 2


def sequence(key):
    return [4 + (key * 31 + place * (3 + key % 5)) % 96 for place in range(16 + key * 7 % 33)]


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.RMSNorm(WIDTH, 1e-5)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.output = nn.Linear(WIDTH, WIDTH, bias=False)
        self.feed_forward_norm = nn.RMSNorm(WIDTH, 1e-5)
        self.gate_up = nn.Linear(WIDTH, 2 * FEED_FORWARD, bias=False)
        self.down = nn.Linear(FEED_FORWARD, WIDTH, bias=False)

    def forward(self, x, cos, sin, cache=None, mask=None):
        rows, length, _ = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(rows, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        query, key, value = rotate(qkv[0], cos, sin), rotate(qkv[1], cos, sin), qkv[2]
        if cache is not None:
            if "key" in cache:
                key, value = torch.cat((cache["key"], key), 2), torch.cat((cache["value"], value), 2)
            cache["key"], cache["value"] = key, value
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=mask is None)
        x = x + self.output(attended.transpose(1, 2).reshape(rows, length, WIDTH))
        gate, up = self.gate_up(self.feed_forward_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH, 1e-5)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        half = WIDTH // HEADS // 2
        angles = torch.arange(CONTEXT)[:, None] * 10000.0 ** (-torch.arange(half) / half)
        angles = torch.cat((angles, angles), -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, tokens, positions=None, caches=None, mask=None):
        x = self.embedding(tokens)
        if positions is None:
            cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        else:
            cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for number, layer in enumerate(self.layers):
            x = layer(x, cos, sin, caches[number] if caches is not None else None, mask)
        return self.norm(x)

    def loss(self, tokens, labels):
        logits = F.linear(self(tokens[:, :-1]), self.embedding.weight)
        return F.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())

    @torch.no_grad()
    def answer(self, tokens, lengths):
        """Prompts padded at their end; answers begin beside each other, where the longest prompt ends."""
        rows, longest = tokens.shape
        caches = [{} for _ in self.layers]
        last = self(tokens, caches=caches)[torch.arange(rows), lengths - 1]
        mask = torch.zeros(rows, 1, 1, longest + NEW_TOKENS)
        mask[:, 0, 0, :longest].masked_fill_(torch.arange(longest) >= lengths[:, None], -torch.inf)
        answers = []
        for step in range(NEW_TOKENS):
            probabilities = F.linear(last, self.embedding.weight).softmax(-1)
            answers.append(torch.multinomial(probabilities, 1))
            if step + 1 < NEW_TOKENS:
                seen = mask[..., : longest + step + 1].expand(-1, HEADS, -1, -1)
                last = self(answers[-1], (lengths + step)[:, None], caches, seen)[:, 0]
        return torch.cat(answers, 1)


class Transformers(nn.Module):
    def __init__(self):
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=FEED_FORWARD, num_hidden_layers=LAYERS,
            num_attention_heads=HEADS, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
            bos_token_id=1, eos_token_id=None, pad_token_id=2,
        )
        self.inner = LlamaForCausalLM(config)

    def loss(self, tokens, labels):
        return self.inner(input_ids=tokens, labels=labels).loss

    @torch.no_grad()
    def answer(self, tokens, lengths):
        longest = tokens.shape[1]
        mask = torch.arange(longest) >= longest - lengths[:, None]
        shifted = torch.stack([row.roll(longest - int(length)) for row, length in zip(tokens, lengths)])
        answers = self.inner.generate(
            input_ids=shifted, attention_mask=mask.long(), do_sample=True, max_new_tokens=NEW_TOKENS
        )
        return answers[:, longest:]


def padded(sequences):
    lengths = torch.tensor([len(tokens) for tokens in sequences])
    tokens = torch.full((len(sequences), int(lengths.max())), 2)
    for row, values in zip(tokens, sequences):
        row[: len(values)] = torch.tensor(values)
    return tokens, lengths


def training(model, seconds):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0, fused=True)

    def step(sequences):
        tokens, lengths = padded(sequences)
        place = torch.arange(tokens.shape[1])
        target = (place >= lengths[:, None] - 4) & (place < lengths[:, None])
        loss = model.loss(tokens, torch.where(target, tokens, -100))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        return int(lengths.sum())

    return rate(step, seconds)


def generation(model, seconds):
    return rate(lambda sequences: model.answer(*padded(sequences)).numel(), seconds)


def rate(step, seconds):
    batches = [[sequence(batch * ROWS + row) for row in range(ROWS)] for batch in range(8)]
    for batch in batches[:4]:
        step(batch)
    start, done, number = time.perf_counter(), 0, 0
    while time.perf_counter() - start < seconds:
        done += step(batches[number % 8])
        number += 1
    return done / (time.perf_counter() - start)


what, seconds, which = sys.argv[1], float(sys.argv[2]), (sys.argv[3:] or ["plain"])[0]
torch.set_num_threads(THREADS)
torch.manual_seed(1)
model = {"plain": Plain, "transformers": Transformers}[which]()
print(round({"training": training, "generation": generation}[what](model, seconds)))

# EA-KD + PKD: class logits with each proposal weighted by the entropies, and the pyramid's levels.
_base_ = ['./ea-kd.py', './pkd.py']
